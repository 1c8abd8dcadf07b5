//! The thread of one secondary sink: it alone calls the sink, so that a sink that hangs holds nobody else.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use audit_core::id::IdSource;
use audit_core::sink::{AppendError, AppendErrorKind, Prepared, Receipt, Sink, WhenFull};

use super::queue::{Gap, Record};
use super::shared::{Next, Shared};
use super::statement;

/// The pause before a record is tried again that the sink refused, doubled each time up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    shared: Arc<Shared>,
    sink: Box<dyn Sink>,
    ids: Arc<dyn IdSource>,
    owed: Option<Owed>,
}

/// Records that the sink misses and was not told of yet.
struct Owed {
    gap: Gap,
    /// The record that tells, made once, so that it keeps its identifier however often it is tried.
    statement: Option<Arc<[u8]>>,
    /// The sink will never take the record: nothing waits for it any more, until more is missing.
    is_rejected: bool,
}

/// Why a record was not taken.
struct Refusal {
    fault: AppendError,
    retry: Retry,
}

/// What trying a record again is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// It may be taken then.
    Useful,
    /// It is never taken.
    Useless,
    /// The sink did not say in time whether it has it: it might have it twice then.
    Doubtful,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, sink: Box<dyn Sink>, ids: Arc<dyn IdSource>) -> Self {
        Self { shared, sink, ids, owed: None }
    }

    /// Gives the sink what is queued, until it is closed or fails.
    pub(super) fn run(mut self) {
        loop {
            let owes = self.owed.as_ref().is_some_and(|owed| !owed.is_rejected);
            match self.shared.next(owes) {
                Next::Note(gap) => self.owe(gap),
                Next::State => self.state_owed(),
                Next::Deliver(record) => self.deliver(&record),
                Next::End => break,
            }
        }
        let Self { shared, sink, .. } = self;
        // First, as dropping the sink may take its time too, or panic.
        shared.end(None);
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(sink)));
        shared.note_done();
    }

    fn owe(&mut self, gap: Gap) {
        let gap = self.owed.as_ref().map_or(gap, |owed| owed.gap.and(gap));
        self.owed = Some(Owed { gap, statement: None, is_rejected: false });
    }

    fn deliver(&mut self, record: &Record) {
        let mut prepared = Prepared::new(&record.bytes, record.stage);
        if let Some(call_id) = record.call_id {
            prepared = prepared.call(call_id);
        }
        let result = self.hand_over(prepared).map_err(|refusal| refusal.fault);
        match result {
            Err(fault) if fault.is_final() => self.shared.end(Some(fault)),
            result => {
                if result.is_err() {
                    self.owe(Gap::of(record.time));
                }
                self.shared.settle(result);
            }
        }
    }

    fn state_owed(&mut self) {
        let Some(owed) = &mut self.owed else { return };
        let make = || statement::dropped(&self.shared.name, &owed.gap, self.shared.clock.now(), &*self.ids).into();
        let bytes = Arc::clone(owed.statement.get_or_insert_with(make));
        let result = self.hand_over(Prepared::new(&bytes, statement::EVENT.stage()));
        match (result, &mut self.owed) {
            (Err(refusal), _) if refusal.fault.is_final() => self.shared.end(Some(refusal.fault)),
            (Err(refusal), Some(owed)) => {
                owed.is_rejected = refusal.retry == Retry::Useless;
                self.shared.settle_statement(Err(refusal.fault));
            }
            (_, owed) => {
                *owed = None;
                self.shared.settle_statement(Ok(()));
            }
        }
    }

    /// Gives the sink one record, again and again if it refuses it, until the time is over.
    fn hand_over(&self, prepared: Prepared<'_>) -> Result<(), Refusal> {
        let prepared = prepared.unasked().when_full(WhenFull::Block).timeout(Some(self.shared.timeout));
        let deadline = self.shared.deadline();
        let mut pause = PAUSE_MIN;
        loop {
            let Err(refusal) = self.attempt(&prepared) else { return Ok(()) };
            let now = Instant::now();
            if refusal.retry != Retry::Useful || now >= deadline {
                return Err(refusal);
            }
            self.shared.note(refusal.fault.clone());
            let until = deadline.min(now + pause);
            // What wakes it is a receipt that came too late, and nothing to try again for.
            while self.shared.rest(until) {}
            if self.shared.is_over() {
                return Err(refusal);
            }
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    /// Gives the sink one record, once.
    fn attempt(&self, prepared: &Prepared<'_>) -> Result<(), Refusal> {
        let appended = catch_unwind(AssertUnwindSafe(|| self.sink.append(prepared)));
        let (fault, retry) = match appended.map(|receipt| self.wait(receipt)) {
            Ok(Some(Ok(()))) => return Ok(()),
            Ok(Some(Err(fault))) => {
                let is_malformed = matches!(fault.kind(), AppendErrorKind::TooLarge | AppendErrorKind::Invalid);
                let retry = if is_malformed || fault.is_final() { Retry::Useless } else { Retry::Useful };
                (fault, retry)
            }
            Ok(None) => {
                let found = format!("found no answer within {:?}", self.shared.timeout);
                (AppendError::new(AppendErrorKind::Busy, found), Retry::Doubtful)
            }
            Err(_panic) => (AppendError::new(AppendErrorKind::Io, "found the sink panicking"), Retry::Useful),
        };
        Err(Refusal { fault, retry })
    }

    /// Waits for a receipt to say whether the record was taken; `None` if the time is over.
    fn wait(&self, mut receipt: Receipt) -> Option<Result<(), AppendError>> {
        let deadline = self.shared.deadline();
        let waker = Waker::from(Arc::clone(&self.shared));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut receipt).poll(&mut context) {
                Poll::Ready(Ok(_place)) => return Some(Ok(())),
                Poll::Ready(Err(fault)) if fault.kind() == AppendErrorKind::Unasked => return Some(Ok(())),
                Poll::Ready(Err(fault)) => return Some(Err(fault)),
                Poll::Pending if !self.shared.rest(deadline) => break,
                Poll::Pending => {}
            }
        }
        // Once more, for an answer that came with the end of the time.
        receipt.now().map(|result| result.map(drop))
    }
}
