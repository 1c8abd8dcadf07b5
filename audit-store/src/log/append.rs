//! The caller's side: a record goes into the journal, and its caller on, unless there is no room or someone waits.

use core::time::Duration;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::Instant;

use audit_core::id::CallId;
use audit_core::sink::{AppendError, AppendErrorKind, Prepared, Receipt, WhenFull};
use audit_core::vocabulary::{Durability, Stage};

use crate::journal::{Appended, Flags, Meta, Refused, Role};
use crate::log::state::{Phase, Queued, State};
use crate::log::waiters::Waiter;
use crate::log::{Shared, writer};

/// Marks a record in the journal that someone waits for.
pub(super) const ASKED: Flags = Flags::new(1);

const DAY: Duration = Duration::from_secs(86_400);

/// How many records may wait in memory for room in the journal, those of asynchronous callers.
const QUEUE_MAX: usize = 1_024;

impl Shared {
    pub(super) fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        if let Err(fault) = self.check_process() {
            return Receipt::ready(Err(fault));
        }
        self.accept(prepared).unwrap_or_else(|fault| self.refuse(fault))
    }

    fn accept(&self, prepared: &Prepared<'_>) -> Result<Receipt, AppendError> {
        self.check_gate(prepared.stage())?;
        if prepared.is_checked() {
            writer::check_length(prepared.record())?;
        } else {
            writer::check(prepared.record())?;
        }
        let durability = prepared.durability_demanded().map_or(self.durability, |demand| demand.max(self.durability));
        let is_asked = prepared.is_asked() || durability > Durability::Os;
        let call = prepared.call_id().map(|call_id| (call_id, prepared.stage()));
        let patience = prepared.patience().unwrap_or(self.append_timeout);
        let demand = Demand { durability, is_asked, patience, record_bytes: prepared.record().len() };
        let meta = meta(call, is_asked);
        match self.journal.append(meta, prepared.record(), None) {
            Err(Refused::Full) => self.append_to_full(prepared, call, &demand),
            appended => self.answer(appended, &demand),
        }
    }

    /// Refuses what the log's state does not allow, without taking its lock.
    pub(super) fn check_gate(&self, stage: Stage) -> Result<(), AppendError> {
        if self.is_open.load(Ordering::Acquire) {
            return Ok(());
        }
        let state = self.state();
        match (&state.fault, state.phase) {
            (Some(fault), _) => Err(fault.clone()),
            (None, Phase::Open) => Ok(()),
            (None, Phase::Closing) if stage != Stage::Started => Ok(()),
            (None, Phase::Closing) => Err(closed("found a call that begins while the log is being closed")),
            (None, Phase::Ending | Phase::Ended) => Err(closed("found a record after `log.closed`")),
        }
    }

    /// Turns what the journal says into what the caller is told.
    fn answer(&self, appended: Result<Appended, Refused>, demand: &Demand) -> Result<Receipt, AppendError> {
        match appended {
            Ok(appended) => Ok(self.accepted(appended, demand)),
            Err(Refused::Full) => Err(self.obstacle(demand.patience)),
            Err(Refused::Closed) => Err(closed("found a record after `log.closed`")),
            Err(Refused::Forked) => self.check_process().and(Err(closed("found a forked process"))),
            Err(Refused::TooLarge) => {
                Err(AppendError::new(AppendErrorKind::TooLarge, "found no room for it in the journal"))
            }
        }
    }

    /// Makes the receipt of a record that is in the journal.
    pub(super) fn accepted(&self, appended: Appended, demand: &Demand) -> Receipt {
        if !demand.is_asked {
            if appended.wake {
                self.call_writer();
            }
            return Receipt::accepted();
        }
        let (waiter, receipt) = demand.waiter();
        let mut state = self.state();
        let told = match state.fault.clone() {
            Some(fault) => Some(waiter.told(Err(fault))),
            None => state.waiters.wait(appended.position, waiter),
        };
        if state.is_commit_urgent() {
            // The writer was faster: it found nobody who waits for the disk.
            self.work.notify_one();
        }
        self.call_all(state);
        if let Some(told) = told {
            told.tell();
        }
        receipt
    }

    fn append_to_full(
        &self,
        prepared: &Prepared<'_>,
        call: Option<(CallId, Stage)>,
        demand: &Demand,
    ) -> Result<Receipt, AppendError> {
        self.call_writer();
        match prepared.if_full() {
            WhenFull::Queue => self.enqueue(prepared, call, demand),
            WhenFull::Block => {
                // A patience beyond the end of time is one day at least.
                let deadline = Instant::now().checked_add(demand.patience).unwrap_or_else(|| Instant::now() + DAY);
                let meta = meta(call, demand.is_asked);
                self.answer(self.journal.append(meta, prepared.record(), Some(deadline)), demand)
            }
            _ => Err(self.obstacle(Duration::ZERO)),
        }
    }

    fn enqueue(
        &self,
        prepared: &Prepared<'_>,
        call: Option<(CallId, Stage)>,
        demand: &Demand,
    ) -> Result<Receipt, AppendError> {
        let mut state = self.state();
        if state.queue.len() >= QUEUE_MAX {
            drop(state);
            return Err(self.obstacle(Duration::ZERO));
        }
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        if !matches!(state.phase, Phase::Open | Phase::Closing) {
            return Err(closed("found a record after `log.closed`"));
        }
        let (waiter, receipt) = demand.waiter();
        let (after, record) = (self.journal.end(), prepared.record().to_vec());
        state.queue.push_back(Queued { after, record, call, waiter: Some(waiter) });
        self.call_all(state);
        Ok(receipt)
    }

    /// Tells why there is no room: what keeps the writer from writing, or that it is too slow.
    pub(super) fn obstacle(&self, waited: Duration) -> AppendError {
        self.state().obstacle.clone().unwrap_or_else(|| busy(waited))
    }

    /// Counts a record that is not in the log, so that the log states it as soon as it can.
    fn refuse(&self, fault: AppendError) -> Receipt {
        if !fault.is_final() {
            self.state().refusals.add(self.clock.now());
        }
        Receipt::ready(Err(fault))
    }

    /// Calls the writing thread, so that it does not wait until it looks by itself.
    pub(super) fn call_writer(&self) {
        let was_called = core::mem::replace(&mut self.state().is_called, true);
        if !was_called {
            self.drain.notify_one();
        }
    }

    /// Calls the writing thread and the watching one for someone who waits.
    fn call_all(&self, mut state: MutexGuard<'_, State>) {
        let was_called = core::mem::replace(&mut state.is_called, true);
        let was_watched = core::mem::replace(&mut state.is_watched, true);
        drop(state);
        if !was_called {
            self.drain.notify_one();
        }
        if !was_watched {
            self.watch.notify_one();
        }
    }
}

fn meta(call: Option<(CallId, Stage)>, is_asked: bool) -> Meta {
    let flags = if is_asked { ASKED } else { Flags::default() };
    let Some((call, stage)) = call else { return Meta { flags, ..Meta::default() } };
    let role = match stage {
        Stage::Started => Role::Begins,
        stage if stage.ends_call() => Role::Ends,
        _ => Role::Other,
    };
    Meta { role, flags, call_id: call.to_bytes() }
}

/// Returns the call that a record in the journal belongs to, and whether it begins or ends it.
pub(super) fn call_of(meta: Meta) -> Option<(CallId, Stage)> {
    let stage = match meta.role {
        Role::Other => return None,
        Role::Begins => Stage::Started,
        Role::Ends => Stage::Completed,
    };
    Some((CallId::from_bytes(meta.call_id), stage))
}

/// What a record's caller waits for, and how long.
pub(super) struct Demand {
    pub(super) durability: Durability,
    pub(super) is_asked: bool,
    pub(super) patience: Duration,
    pub(super) record_bytes: usize,
}

impl Demand {
    fn waiter(&self) -> (Waiter, Receipt) {
        let (completion, receipt) = Receipt::pending();
        let deadline = Instant::now().checked_add(self.patience);
        let Self { durability, patience, record_bytes, .. } = *self;
        (Waiter { completion, durability, deadline, patience, record_bytes }, receipt)
    }
}

pub(super) fn busy(waited: Duration) -> AppendError {
    AppendError::new(AppendErrorKind::Busy, format!("waited {waited:?} for the disk"))
}

fn closed(found: &'static str) -> AppendError {
    AppendError::new(AppendErrorKind::Closed, found)
}
