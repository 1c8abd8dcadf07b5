//! Threads that commit one row after the other, all at the same time.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::path::PathBuf;
use std::sync::Barrier;
use std::time::Instant;

use anyhow::{Result, bail};

/// What a database is asked to do in one round.
pub(crate) struct Load {
    /// Where its files go.
    pub(crate) directory: PathBuf,
    /// How many threads commit.
    pub(crate) threads: usize,
    /// For how long.
    pub(crate) time: Duration,
}

impl Load {
    /// Lets each committer commit on a thread of its own for the time of the load; returns the commits of one second.
    pub(crate) fn run<C: FnMut() -> Result<()> + Send>(&self, committers: Vec<C>) -> Result<f64> {
        let (stop, commits) = (AtomicBool::new(false), AtomicU64::new(0));
        let all = Barrier::new(committers.len() + 1);
        std::thread::scope(|scope| {
            let work = |mut commit: C| -> Result<()> {
                all.wait();
                while !stop.load(Ordering::Relaxed) {
                    commit()?;
                    commits.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            };
            let threads: Vec<_> = committers.into_iter().map(|commit| scope.spawn(move || work(commit))).collect();
            all.wait();
            let start = Instant::now();
            std::thread::sleep(self.time);
            let (committed, elapsed) = (commits.load(Ordering::Relaxed), start.elapsed());
            stop.store(true, Ordering::Relaxed);
            for thread in threads {
                match thread.join() {
                    Ok(result) => result?,
                    Err(_) => bail!("a committing thread panicked"),
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
            let committed = committed as f64;
            Ok(committed / elapsed.as_secs_f64())
        })
    }
}
