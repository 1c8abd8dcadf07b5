//! A thread that sends a log while it grows.

use core::time::Duration;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::{Options, SendError, Sender, Sent};

/// How often the thread looks for another checkpoint.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long it waits after a failure, at first and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Sends a log from a thread of its own until it is closed or dropped: see [the module](super).
///
/// Close it after the log, so that the last checkpoint is sent, too.
#[derive(Debug)]
#[must_use = "the log is no longer sent once this is dropped"]
pub struct Shipping {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How sending goes.
#[derive(Clone, Debug, Default)]
pub struct ShippingHealth {
    /// What was sent since the thread began.
    pub sent: Sent,
    /// How often something was in the way.
    pub failures: u64,
    /// What is in the way now.
    pub obstacle: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    health: ShippingHealth,
    /// When to give up; set once there is nothing more to come.
    deadline: Option<Instant>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shipping {
    /// Begins to send the log at `log`.
    ///
    /// # Errors
    /// As for [`Sender::open`], or the thread could not be started.
    pub fn begin(log: impl AsRef<Path>, options: &Options) -> Result<Self, SendError> {
        let sender = Sender::open(log, options)?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let named = thread::Builder::new().name("audited-otlp".to_owned());
        let thread = named.spawn(move || run(sender, &of_thread)).map_err(SendError::thread)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Tells how sending goes.
    #[must_use]
    pub fn health(&self) -> ShippingHealth {
        self.shared.state().health.clone()
    }

    /// Sends what is left, for at most this long. What is not sent by then stays in the log, and is sent the next time.
    ///
    /// # Errors
    /// Something is in the way: what it is.
    pub fn close(mut self, timeout: Duration) -> Result<Sent, String> {
        self.end(timeout);
        let state = self.shared.state();
        match &state.health.obstacle {
            Some(obstacle) => Err(obstacle.clone()),
            None => Ok(state.health.sent),
        }
    }

    fn end(&mut self, timeout: Duration) {
        self.shared.state().deadline = Instant::now().checked_add(timeout);
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // Its panic would be a mistake of ours; there is nothing left to do either way.
            let _panicked = thread.join();
        }
    }
}

impl Drop for Shipping {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.end(Duration::ZERO);
        }
    }
}

fn run(mut sender: Sender, shared: &Shared) {
    let mut pause = PAUSE_FIRST;
    loop {
        let deadline = shared.state().deadline;
        let result = sender.send_batch();
        let has_sent_all = matches!(result, Ok(None));
        let failed = result.is_err();
        note(&mut shared.state().health, result);
        let is_over = deadline.is_some_and(|deadline| has_sent_all || Instant::now() >= deadline);
        if is_over {
            return;
        }
        if failed {
            wait(shared, pause, deadline.is_some());
            pause = (pause * 2).min(PAUSE_MAX);
            continue;
        }
        pause = PAUSE_FIRST;
        if has_sent_all {
            wait(shared, LOOK_EVERY, deadline.is_some());
        }
    }
}

fn note(health: &mut ShippingHealth, result: Result<Option<Sent>, SendError>) {
    match result {
        Ok(sent) => {
            let Sent { entries, checkpoints } = sent.unwrap_or_default();
            health.sent.entries += entries;
            health.sent.checkpoints += checkpoints;
            health.obstacle = None;
        }
        Err(fault) => {
            health.failures += 1;
            let source = std::error::Error::source(&fault).map(|source| format!(": {source}")).unwrap_or_default();
            health.obstacle = Some(format!("{fault}{source}"));
        }
    }
}

/// Waits for as long, or until the log is to be sent to its end, or then until its time is over.
fn wait(shared: &Shared, pause: Duration, is_ending: bool) {
    let state = shared.state();
    let left = state.deadline.map_or(pause, |deadline| deadline.saturating_duration_since(Instant::now()));
    let is_waiting = |state: &mut State| is_ending || state.deadline.is_none();
    let waited = shared.changed.wait_timeout_while(state, pause.min(left), is_waiting);
    drop(waited.unwrap_or_else(PoisonError::into_inner));
}
