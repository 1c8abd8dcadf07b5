//! What the appending threads, the thread of a secondary sink and those who close it share.

use core::time::Duration;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::Wake;
use std::time::Instant;

use audit_core::sink::{AppendError, Condition};
use audit_core::time::{Clock, Time};

use super::health::SecondaryHealth;
use super::options::SecondaryOptions;
use super::queue::{Gap, Item, Queue, Record};

/// How long the thread looks at an empty queue before it has to be woken: so whoever appends often never wakes it,
/// which costs more than all the rest of passing on a copy.
const LINGER: Duration = Duration::from_millis(1);

/// The shared side of one secondary sink. The sink itself belongs to its thread alone, so that holding this keeps
/// neither.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    tell: Tell,
    /// The process that the thread runs in; a forked copy has none.
    process: u32,
    state: Mutex<State>,
    /// Calls the thread.
    work: Condvar,
    /// Tells those who close the sink that its thread has ended.
    done: Condvar,
}

struct State {
    /// When nothing is delivered any more, as the sink is being closed.
    close_by: Option<Instant>,
    ended: Option<Ended>,
    queue: Queue,
    delivered: u64,
    dropped: u64,
    last_error: Option<AppendError>,
    /// When what the sink is being given was begun, by the wall clock and the steady one.
    begun: Option<(Time, Duration)>,
    /// When the first of those deliveries was begun that failed since the last that did not.
    failing_since: Option<Time>,
    /// The thread waits for the queue without looking.
    is_idle: bool,
    /// Something happened to what the thread waits for.
    is_woken: bool,
    /// The operator knows that records are dropped.
    is_told: bool,
    /// The thread has let go of the sink.
    is_done: bool,
}

/// Why nothing is delivered any more: the sink failed, or without an error it was closed.
struct Ended(Option<AppendError>);

/// Tells the operator what the program cannot be asked to look at.
pub(super) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// What the thread does next.
pub(super) enum Next {
    /// Records are missing here.
    Note(Gap),
    /// The sink is told what is missing, before anything else.
    State,
    Deliver(Record),
    End,
}

impl Shared {
    pub(super) fn new(name: &str, options: &SecondaryOptions, tell: Tell) -> Self {
        Self {
            name: name.chars().take(NAME_CHARS_MAX).collect(),
            timeout: options.timeout.clamp(TIMEOUT_MIN, TIMEOUT_MAX),
            clock: Arc::clone(&options.clock),
            tell,
            process: std::process::id(),
            state: Mutex::new(State {
                close_by: None,
                ended: None,
                queue: Queue::new(options.queue_records_max, options.queue_bytes_max),
                delivered: 0,
                dropped: 0,
                last_error: None,
                begun: None,
                failing_since: None,
                is_idle: false,
                is_woken: false,
                is_told: false,
                is_done: false,
            }),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// Queues a record, or counts it if there is no room. Never waits for the sink.
    pub(super) fn offer(&self, record: &Record) {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // A forked copy may have been made while a thread held the lock that the copy does not have.
            Err(TryLockError::WouldBlock) if self.is_child() => return,
            Err(TryLockError::WouldBlock) => self.state(),
        };
        match (&state.ended, state.close_by) {
            (None, None) => {
                if state.queue.push(record) {
                    let is_idle = core::mem::take(&mut state.is_idle);
                    drop(state);
                    if is_idle {
                        self.work.notify_one();
                    }
                    return;
                }
            }
            (None, Some(_)) => state.queue.miss(record),
            (Some(_), _) => {}
        }
        self.count_dropped(state);
    }

    /// Waits until there is something to do; `owes` says that the sink is to be told of missing records first.
    pub(super) fn next(&self, owes: bool) -> Next {
        let mut state = self.state();
        let mut has_lingered = false;
        loop {
            if state.is_over() {
                return Next::End;
            }
            match state.queue.front() {
                Some(Item::Gap(gap)) => {
                    let gap = *gap;
                    state.queue.pop();
                    return Next::Note(gap);
                }
                _ if owes => {
                    state.begin(&*self.clock);
                    return Next::State;
                }
                Some(Item::Record(record)) => {
                    let record = record.clone();
                    state.begin(&*self.clock);
                    return Next::Deliver(record);
                }
                None if state.close_by.is_some() => return Next::End,
                None => {}
            }
            state = if has_lingered {
                state.is_idle = true;
                self.work.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.work.wait_timeout(state, LINGER).unwrap_or_else(PoisonError::into_inner).0
            };
            has_lingered = !has_lingered;
            state.is_idle = false;
        }
    }

    /// Rests until the given time, or until something happens; false once that time, or the time for closing, is over.
    pub(super) fn rest(&self, until: Instant) -> bool {
        let mut state = self.state();
        loop {
            if core::mem::take(&mut state.is_woken) {
                return true;
            }
            let until = state.close_by.map_or(until, |close_by| close_by.min(until));
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.is_over() {
                return false;
            }
            state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Tells whether nothing is delivered any more.
    pub(super) fn is_over(&self) -> bool {
        self.state().is_over()
    }

    /// Returns when something that begins now has taken too long.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Notes what became of the record at the front of the queue: without an error the sink has it.
    pub(super) fn settle(&self, result: Result<(), AppendError>) {
        let mut state = self.state();
        // Whoever closed the sink meanwhile has counted the record already.
        if state.ended.is_some() {
            return;
        }
        state.queue.pop();
        match result {
            Ok(()) => {
                state.delivered += 1;
                state.succeed();
            }
            Err(fault) => {
                state.fail(fault);
                self.count_dropped(state);
            }
        }
    }

    /// Notes whether the sink was told of missing records.
    pub(super) fn settle_statement(&self, result: Result<(), AppendError>) {
        let mut state = self.state();
        match result {
            Ok(()) => state.succeed(),
            Err(fault) => state.fail(fault),
        }
    }

    /// Notes an error after which the same record is tried again.
    pub(super) fn note(&self, fault: AppendError) {
        self.state().last_error = Some(fault);
    }

    /// Delivers nothing from now on and counts what is queued as dropped; the first end stays.
    pub(super) fn end(&self, fault: Option<AppendError>) {
        let mut state = self.state();
        if state.ended.is_some() {
            return;
        }
        let left = state.queue.take().iter().filter(|item| matches!(item, Item::Record(_))).count();
        state.dropped += u64::try_from(left).unwrap_or(u64::MAX);
        let what = match &fault {
            Some(fault) => format!("gets no more records, and {left} that waited are dropped: {fault}"),
            None => format!("was closed before it took {left} records that waited"),
        };
        let is_loss = left > 0 || fault.is_some();
        if let Some(fault) = fault.clone() {
            state.fail(fault);
        }
        state.begun = None;
        state.is_told |= is_loss;
        state.ended = Some(Ended(fault));
        drop(state);
        if is_loss {
            self.tell(&what);
        }
    }

    /// Notes that the thread has let go of the sink.
    pub(super) fn note_done(&self) {
        self.state().is_done = true;
        self.done.notify_all();
    }

    /// Lets what is queued be delivered within the timeout, and nothing more. Waits for nothing.
    pub(super) fn begin_closing(&self) {
        if self.is_child() {
            return;
        }
        let mut state = self.state();
        if state.close_by.is_none() {
            state.close_by = Some(self.deadline());
            self.work.notify_one();
        }
    }

    /// Waits for the sink's thread to end, as long as the closing may take; then the thread is left behind.
    pub(super) fn finish_closing(&self) {
        if self.is_child() {
            return;
        }
        let mut state = self.state();
        while let (false, Some(close_by)) = (state.is_done, state.close_by) {
            let left = close_by.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        self.end(None);
    }

    pub(super) fn health(&self) -> SecondaryHealth {
        let mut health = SecondaryHealth {
            name: self.name.clone(),
            condition: Condition::Forked,
            delivered: 0,
            dropped: 0,
            queued: 0,
            last_error: None,
            stalled_since: None,
        };
        // This comes before the lock is taken, which another thread may have held when the process was forked.
        if self.is_child() {
            return health;
        }
        let now = self.clock.steady();
        let state = self.state();
        health.condition = match (&state.ended, state.close_by) {
            (Some(Ended(Some(fault))), _) => Condition::Failed(fault.clone()),
            (None, None) => Condition::Open,
            _ => Condition::Closed,
        };
        (health.delivered, health.dropped, health.queued) = (state.delivered, state.dropped, state.queue.records());
        health.last_error.clone_from(&state.last_error);
        let overdue = state.begun.filter(|(_time, steady)| now.saturating_sub(*steady) >= self.timeout);
        health.stalled_since = state.failing_since.or(overdue.map(|(time, _steady)| time));
        health
    }

    /// Counts a record that the sink does not get; the first time the operator is told, once the lock is released.
    fn count_dropped(&self, mut state: MutexGuard<'_, State>) {
        state.dropped += 1;
        if core::mem::replace(&mut state.is_told, true) {
            return;
        }
        let why = state.why_dropped();
        drop(state);
        self.tell(&format!("misses records, which the primary has and which are counted: {why}"));
    }

    fn tell(&self, what: &str) {
        (self.tell)(&format!("audited: the secondary sink `{}` {what}", self.name.escape_debug()));
    }

    fn is_child(&self) -> bool {
        self.process != std::process::id()
    }

    /// Takes the lock. A panic while it was held is no reason to stop: no step leaves what it protects half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the name of a sink may be.
const NAME_CHARS_MAX: usize = 100;

/// The shortest time that a sink is granted, so that one that refuses everything is not asked without a pause.
const TIMEOUT_MIN: Duration = Duration::from_millis(1);

/// The longest one: closing ends one day.
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Wakes the thread for a receipt that has resolved.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.state().is_woken = true;
        self.work.notify_one();
    }
}

impl State {
    fn is_over(&self) -> bool {
        self.ended.is_some() || self.close_by.is_some_and(|close_by| close_by <= Instant::now())
    }

    fn why_dropped(&self) -> String {
        match (&self.ended, self.close_by, &self.last_error) {
            (Some(Ended(Some(fault))), ..) => fault.to_string(),
            (Some(_), ..) | (_, Some(_), _) => "it was closed".to_owned(),
            (.., Some(fault)) if self.failing_since.is_some() => fault.to_string(),
            _ => "its queue is full".to_owned(),
        }
    }

    fn begin(&mut self, clock: &dyn Clock) {
        self.is_woken = false;
        self.begun = Some((clock.now(), clock.steady()));
    }

    fn succeed(&mut self) {
        self.begun = None;
        self.failing_since = None;
    }

    fn fail(&mut self, fault: AppendError) {
        let begun = self.begun.take().map(|(time, _steady)| time);
        self.failing_since = self.failing_since.or(begun);
        self.last_error = Some(fault);
    }
}

#[cfg(test)]
mod tests {
    use audit_core::vocabulary::Stage;

    use super::*;

    #[test]
    fn a_forked_copy_waits_for_nothing_and_tells_nothing() {
        let tell: Tell = Arc::new(|line| panic!("told {line}"));
        let mut shared = Shared::new("far", &SecondaryOptions::new(), tell);
        shared.process = 0;
        // As if another thread had held the lock when the process was forked.
        let locked = shared.state.lock().unwrap();
        let time = Time::from_unix(Duration::ZERO);
        shared.offer(&Record { bytes: Arc::from(*b"1"), call_id: None, stage: Stage::Event, time });
        shared.begin_closing();
        shared.finish_closing();
        assert!(matches!(shared.health().condition(), Condition::Forked));
        assert!(locked.close_by.is_none() && locked.queue.records() == 0);
    }

    #[test]
    fn limits_have_limits() {
        let timeout = |timeout| Shared::new("x", &SecondaryOptions::new().timeout(timeout), Arc::new(|_| {})).timeout;
        assert_eq!(timeout(Duration::ZERO), TIMEOUT_MIN);
        assert_eq!(timeout(Duration::MAX), TIMEOUT_MAX);
        let shared = Shared::new(&"é".repeat(101), &SecondaryOptions::new(), Arc::new(|_| {}));
        assert_eq!(shared.name, "é".repeat(100));
    }
}
