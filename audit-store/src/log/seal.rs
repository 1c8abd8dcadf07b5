//! The sealing thread: it compresses segments that are full, and keeps the state of the log at their borders, while the log
//! goes on. It lives as long as there is something to seal.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use audit_core::verify::State;

use crate::disk::Disk;
use crate::layout::Layout;
use crate::segment;

/// A segment that nothing is written to any more.
pub(super) struct Job {
    /// The number of its first entry.
    pub(super) first: u64,
    /// The log's state after its last entry, if it has yet to be kept.
    pub(super) state: Option<State>,
}

/// Seals segments one after the other.
pub(super) struct Sealer {
    disk: Arc<dyn Disk>,
    layout: Layout,
    /// False if segments stay as they are; their states are kept all the same.
    compresses: bool,
    queue: Mutex<Queue>,
    is_stopping: AtomicBool,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// True while the thread will look for another job.
    is_running: bool,
    thread: Option<JoinHandle<()>>,
}

impl Sealer {
    pub(super) fn new(disk: Arc<dyn Disk>, layout: Layout, compresses: bool) -> Self {
        Self { disk, layout, compresses, queue: Mutex::default(), is_stopping: AtomicBool::new(false) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job. What is left undone, by a failure or the end of the process, is done after the next opening: a
    /// segment that is not compressed is as good, and a state that is missing is computed again.
    pub(super) fn add(self: &Arc<Self>, job: Job) {
        let mut queue = self.queue();
        queue.jobs.push_back(job);
        if queue.is_running {
            return;
        }
        let sealer = Arc::clone(self);
        let spawned = std::thread::Builder::new().name("audited-seal".to_owned()).spawn(move || sealer.run());
        if let Ok(thread) = spawned {
            queue.is_running = true;
            // The one before has found nothing more to do.
            queue.thread = Some(thread);
        }
    }

    fn run(&self) {
        while let Some(job) = self.next() {
            if let Some(state) = &job.state {
                let _computed_again = segment::state::write(&*self.disk, &self.layout, state);
            }
            if self.compresses {
                let _later = segment::seal(&*self.disk, &self.layout, job.first);
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        let is_stopping = self.is_stopping.load(Ordering::Relaxed);
        let next = queue.jobs.pop_front().filter(|job| !is_stopping || job.state.is_some());
        queue.is_running = next.is_some();
        next
    }

    /// Ends the sealing, before the log's lock is released: nobody may change a log that another process holds.
    pub(super) fn finish(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        let thread = self.queue().thread.take();
        if let Some(thread) = thread {
            let _panicked = thread.join();
        }
    }
}
