//! The threads that give the log's checkpoints to its anchors, one for each of them, all named `audited-anchor`.
//!
//! None of them is waited for by a call, the writer or the committer, and closing waits no longer than it grants its calls.
//! One that hangs is left to itself: what its anchor then gives is not kept, and the next opening asks again.

use core::ops::Range;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Builder;
use std::time::Instant;

use audit_core::anchor::{Anchor, Takes};
use audit_core::sink::{AppendError, FailingAnchor};

use crate::anchors::{Added, Course, Event, Failed, Gate, Pace, What};
use crate::disk::Disk;
use crate::layout::Layout;
use crate::log::state::{Phase, State};
use crate::log::{Log, Shared};

/// How many events of anchors may wait for the writer.
const EVENTS_MAX: usize = 256;

/// The longest pause that is kept.
const PAUSE_MAX: Duration = Duration::from_secs(365 * 24 * 3_600);

/// What the threads of one log share.
pub(super) struct Anchoring {
    layout: Layout,
    disk: Arc<dyn Disk>,
    pace: Pace,
    wanted: Mutex<Wanted>,
    /// Tells the threads of a checkpoint, and who closes the log that one of them has ended.
    wake: Condvar,
    gate: Gate,
}

#[derive(Default)]
struct Wanted {
    /// How many entries the newest checkpoint covers.
    size: u64,
    /// The entries at the end of the log that only tell of anchors.
    tail: Range<u64>,
    is_closing: bool,
    running: usize,
}

impl Wanted {
    /// Tells whether the newest checkpoint covers something that a smaller one does not, beside records of anchors.
    fn has_news(&self, kept: Option<u64>) -> bool {
        let kept = kept.unwrap_or(0);
        let is_tail = kept >= self.tail.start && self.size <= self.tail.end;
        self.size > kept && !(is_tail && kept > 0)
    }
}

impl Anchoring {
    pub(super) fn new(layout: Layout, disk: Arc<dyn Disk>, pace: Pace) -> Self {
        Self { layout, disk, pace, wanted: Mutex::default(), wake: Condvar::new(), gate: Gate::default() }
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread for each anchor.
    pub(super) fn start(self: &Arc<Self>, anchors: &[Arc<dyn Anchor>], shared: &Arc<Shared>) -> std::io::Result<()> {
        for anchor in anchors {
            let running = Running::new(Arc::clone(self));
            let (anchor, shared) = (Arc::clone(anchor), Arc::downgrade(shared));
            Builder::new().name("audited-anchor".to_owned()).spawn(move || running.run(anchor, shared))?;
        }
        Ok(())
    }

    /// Takes a checkpoint that is on the disk.
    pub(super) fn cover(&self, size: u64, tail: Range<u64>) {
        let mut wanted = self.wanted();
        if size >= wanted.size {
            (wanted.size, wanted.tail) = (size, tail);
            self.wake.notify_all();
        }
    }

    /// Ends the threads, before the log's lock is released: each gives the last checkpoint once, as long as there is time.
    pub(super) fn finish(&self, deadline: Option<Instant>) {
        let mut wanted = self.wanted();
        wanted.is_closing = true;
        self.wake.notify_all();
        let time = deadline.map_or(Duration::ZERO, |deadline| deadline.saturating_duration_since(Instant::now()));
        let waited = self.wake.wait_timeout_while(wanted, time, |wanted| wanted.running > 0);
        drop(waited);
        self.gate.shut();
    }
}

/// A thread that is counted until it ends, however it ends.
struct Running(Arc<Anchoring>);

impl Running {
    fn new(anchoring: Arc<Anchoring>) -> Self {
        anchoring.wanted().running += 1;
        Self(anchoring)
    }

    fn run(self, anchor: Arc<dyn Anchor>, shared: Weak<Shared>) {
        let Self(anchoring) = &self;
        let opened = Course::open(anchoring.layout.clone(), Arc::clone(&anchoring.disk), Arc::clone(&anchor));
        let mut telling =
            Telling { shared, interval: anchoring.pace.interval, added: None, due: Instant::now(), failing: None };
        let mut course = match opened {
            Ok(course) => course,
            Err(fault) => {
                let reason = format!("expected to read what {} gave so far, found: {fault}", anchor.name());
                let failed = Failed { size: 0, kind: "not_read", reason, is_passing: false, contradicts_log: false };
                return telling.failed(&*anchor, failed);
            }
        };
        anchoring.pursue(&mut course, &mut telling);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut wanted = self.0.wanted();
        wanted.running = wanted.running.saturating_sub(1);
        self.0.wake.notify_all();
    }
}

/// What a thread does next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Give,
    Tell,
    GiveLast,
    End,
}

impl Anchoring {
    /// Gives an anchor what there is, until the log is closed.
    fn pursue(&self, course: &mut Course, telling: &mut Telling) {
        let mut due = Instant::now();
        let mut pause = self.pace.retry_min;
        loop {
            let turn = self.next_turn(course.kept(), due, telling);
            match turn {
                Turn::End => return,
                Turn::Tell => telling.tell(course.anchor()),
                Turn::Give | Turn::GiveLast => {
                    let outcome = course.advance(&self.gate);
                    if let Some(added) = outcome.added {
                        telling.added(course.anchor(), added);
                        due = after(self.interval_of(course.anchor()));
                        pause = self.pace.retry_min;
                    }
                    if let Some(failed) = outcome.failed {
                        // Who refuses has to be looked after first.
                        due = after(if failed.is_passing { pause } else { self.pace.retry_max });
                        pause = pause.saturating_mul(2).min(self.pace.retry_max);
                        telling.failed(course.anchor(), failed);
                    }
                    if turn == Turn::GiveLast {
                        return;
                    }
                }
            }
        }
    }

    fn interval_of(&self, anchor: &dyn Anchor) -> Duration {
        match anchor.takes() {
            Takes::Newest => self.pace.interval,
            Takes::Each => Duration::ZERO,
        }
    }

    /// Waits until there is something to do.
    fn next_turn(&self, kept: Option<u64>, due: Instant, telling: &Telling) -> Turn {
        let mut wanted = self.wanted();
        loop {
            let has_news = wanted.has_news(kept);
            if wanted.is_closing {
                return if has_news { Turn::GiveLast } else { Turn::End };
            }
            let now = Instant::now();
            let tell_at = telling.added.map(|_added| telling.due);
            if tell_at.is_some_and(|at| at <= now) {
                return Turn::Tell;
            }
            if has_news && due <= now {
                return Turn::Give;
            }
            let next = has_news.then_some(due).into_iter().chain(tell_at).min();
            wanted = match next {
                Some(at) => {
                    let waited = self.wake.wait_timeout(wanted, at.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(wanted).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Returns the moment after a pause, which is at most a year.
fn after(pause: Duration) -> Instant {
    Instant::now() + pause.min(PAUSE_MAX)
}

/// What the log records of one anchor: what was kept at most once in an interval, and a failure when it begins and when its
/// kind changes.
struct Telling {
    shared: Weak<Shared>,
    interval: Duration,
    /// What was kept and is not recorded.
    added: Option<Added>,
    /// When it may be.
    due: Instant,
    /// How the anchor failed last, if it has not succeeded since.
    failing: Option<&'static str>,
}

impl Telling {
    fn added(&mut self, anchor: &dyn Anchor, added: Added) {
        self.note(anchor, None);
        let count = self.added.map_or(0, |before| before.count) + added.count;
        self.added = Some(Added { count, ..added });
        // That it works again is said at once.
        if self.failing.take().is_some() || self.due <= Instant::now() {
            self.tell(anchor);
        }
    }

    fn tell(&mut self, anchor: &dyn Anchor) {
        if let Some(added) = self.added.take() {
            self.due = after(self.interval);
            self.post(anchor, What::Added(added));
        }
    }

    fn failed(&mut self, anchor: &dyn Anchor, failed: Failed) {
        self.note(anchor, Some(&failed));
        if self.failing.replace(failed.kind) != Some(failed.kind) {
            self.tell(anchor);
            self.post(anchor, What::Failed(failed));
        }
    }

    /// Says of the log's health how the anchor is.
    fn note(&self, anchor: &dyn Anchor, failed: Option<&Failed>) {
        let Some(shared) = self.shared.upgrade() else { return };
        let failing = &mut shared.state().anchored.failing;
        failing.retain(|other| other.name != anchor.name().as_str());
        failing.extend(failed.map(|failed| FailingAnchor {
            name: anchor.name().as_str().to_owned(),
            reason: failed.reason.clone(),
            is_alarm: failed.contradicts_log,
        }));
        failing.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    }

    fn post(&self, anchor: &dyn Anchor, what: What) {
        if let Some(shared) = self.shared.upgrade() {
            shared.post(Event::new(anchor.name(), what));
        }
    }
}

impl Log {
    /// Leaves an event of an anchor to the writer.
    pub(crate) fn post(&self, event: Event) {
        self.shared().post(event);
    }
}

impl Shared {
    fn post(&self, event: Event) {
        let mut state = self.state();
        let is_writing = matches!(state.phase, Phase::Open | Phase::Closing) && state.fault.is_none();
        // Of more the log would say nothing new: what was kept is in files.
        if is_writing && state.anchored.events.len() < EVENTS_MAX {
            state.anchored.events.push_back(event);
        }
        drop(state);
        self.call_writer();
    }
}

/// What the writer is to record of anchors, and what it did.
#[derive(Debug, Default)]
pub(super) struct Anchored {
    pub(super) events: VecDeque<Event>,
    /// The entries at the end of the log that only tell of anchors.
    pub(super) tail: Range<u64>,
    /// Those that did not take a checkpoint since they failed.
    pub(super) failing: Vec<FailingAnchor>,
}

impl State {
    /// Notes that an entry is to tell of an anchor, before it is written: the commit that covers it may come at once. Returns
    /// what has to be put back if it is not.
    pub(super) fn note_anchored(&mut self, number: u64) -> Range<u64> {
        let before = self.anchored.tail.clone();
        let start = if before.end == number && !before.is_empty() { before.start } else { number };
        self.anchored.tail = start..number + 1;
        before
    }
}

impl super::drain::Writing {
    /// Records what became of anchors.
    pub(super) fn state_anchored(&mut self) -> Result<(), AppendError> {
        loop {
            let Some(event) = self.shared.state().anchored.events.front().cloned() else { return Ok(()) };
            let record = self.writer.events.anchored(&event);
            let before = self.shared.state().note_anchored(self.writer.next_number());
            let written = self.write_own(&record);
            let mut state = self.shared.state();
            match &written {
                Ok(()) => drop(state.anchored.events.pop_front()),
                Err(_fault) => state.anchored.tail = before,
            }
            drop(state);
            written?;
        }
    }
}
