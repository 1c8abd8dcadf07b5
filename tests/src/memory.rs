//! A sink in memory.

use core::time::Duration;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use audit_core::hash::Hash;
use audit_core::id::IdSource;
use audit_core::port::AuditPort;
use audit_core::sink::{AppendError, AppendErrorKind, Appended, Completion, Prepared, Receipt, Sink, WhenFull};
use audit_core::time::{Clock, Time};
use audit_core::vocabulary::{Durability, Stage};
use audit_layer::AuditLayer;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

/// Keeps records, so that a test can look at them. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    records: Mutex<Vec<Kept>>,
    demands: Mutex<Vec<Demanded>>,
    mode: Mutex<Mode>,
    held: Mutex<Vec<(Completion, Appended)>>,
}

#[derive(Clone, Debug)]
struct Kept {
    bytes: Vec<u8>,
    durability: Option<Durability>,
}

/// What was demanded of the sink for one record, be it kept or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demanded {
    /// The stage of the record.
    pub stage: Stage,
    /// What it is to survive.
    pub durability: Option<Durability>,
    /// How long it may wait.
    pub patience: Option<Duration>,
    /// What happens if there is no room.
    pub if_full: WhenFull,
}

#[derive(Clone, Copy, Debug, Default)]
enum Mode {
    #[default]
    Accept,
    Refuse(AppendErrorKind),
    /// Records that demand `disk` get a receipt that resolves with [`Memory::resolve`].
    Hold,
    /// Records get a receipt that resolves with [`Memory::resolve`]; those that may not wait are refused.
    Full,
    Closed,
}

impl Memory {
    /// Makes an empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the records so far.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        self.kept().iter().map(|kept| serde_json::from_slice(&kept.bytes).unwrap_or_default()).collect()
    }

    /// Returns the bytes of all records so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.kept().iter().map(|kept| String::from_utf8_lossy(&kept.bytes).into_owned() + "\n").collect()
    }

    /// Returns the durability that each record demanded.
    #[must_use]
    pub fn durabilities(&self) -> Vec<Option<Durability>> {
        self.kept().iter().map(|kept| kept.durability).collect()
    }

    /// Returns what was demanded for each record that was handed over.
    #[must_use]
    pub fn demands(&self) -> Vec<Demanded> {
        self.0.demands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses all records from now on with an error of this kind.
    pub fn refuse(&self, kind: AppendErrorKind) {
        self.set(Mode::Refuse(kind));
    }

    /// Accepts records again.
    pub fn accept(&self) {
        self.set(Mode::Accept);
    }

    /// Lets records that demand `disk` wait until [`resolve`](Self::resolve).
    pub fn hold(&self) {
        self.set(Mode::Hold);
    }

    /// Has no room from now on: records wait until [`resolve`](Self::resolve), and those that may not are refused as a busy log
    /// does.
    pub fn fill(&self) {
        self.set(Mode::Full);
    }

    /// Lets all records that wait be on the disk, or fail to be.
    pub fn resolve(&self, failure: Option<AppendErrorKind>) {
        let held = core::mem::take(&mut *self.0.held.lock().unwrap_or_else(PoisonError::into_inner));
        for (completion, appended) in held {
            completion.resolve(failure.map_or(Ok(appended), |kind| Err(AppendError::new(kind, "a test"))));
        }
    }

    /// Closes the sink for good.
    pub fn close(&self) {
        self.set(Mode::Closed);
    }

    /// Makes a layer on this sink with a clock that goes on a millisecond at each look and identifiers that count.
    #[must_use]
    pub fn layer(&self) -> AuditLayer {
        let ticks = Arc::new(Ticks(AtomicU64::new(0)));
        AuditLayer::new(AuditPort::with_sources(Arc::new(self.clone()), Arc::clone(&ticks) as Arc<dyn Clock>, ticks))
    }

    fn kept(&self) -> Vec<Kept> {
        self.0.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, mode: Mode) {
        *self.0.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    fn mode(&self) -> Mode {
        *self.0.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Memory {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        let (mode, durability) = (self.mode(), prepared.durability_demanded());
        let (patience, if_full) = (prepared.patience(), prepared.if_full());
        let demanded = Demanded { stage: prepared.stage(), durability, patience, if_full };
        self.0.demands.lock().unwrap_or_else(PoisonError::into_inner).push(demanded);
        let refused = match mode {
            Mode::Refuse(kind) => Some(kind),
            Mode::Closed => Some(AppendErrorKind::Closed),
            Mode::Full if if_full == WhenFull::Refuse => Some(AppendErrorKind::Busy),
            Mode::Accept | Mode::Hold | Mode::Full => None,
        };
        if let Some(kind) = refused {
            return Receipt::ready(Err(AppendError::new(kind, "a test")));
        }
        let number = {
            let mut records = self.0.records.lock().unwrap_or_else(PoisonError::into_inner);
            records.push(Kept { bytes: prepared.record().to_vec(), durability });
            records.len() as u64 - 1
        };
        let leaf_hash = Hash::leaf(prepared.record());
        let appended = Appended { number, leaf_hash, durable: durability.unwrap_or(Durability::Os) };
        let waits = match mode {
            Mode::Hold => durability == Some(Durability::Disk),
            Mode::Full => true,
            Mode::Accept | Mode::Refuse(_) | Mode::Closed => false,
        };
        if waits {
            let (completion, receipt) = Receipt::pending();
            self.0.held.lock().unwrap_or_else(PoisonError::into_inner).push((completion, appended));
            return receipt;
        }
        Receipt::ready(Ok(appended))
    }

    fn is_open(&self) -> bool {
        !matches!(self.mode(), Mode::Closed)
    }
}

/// Runs the closure with the audit layer as this thread's subscriber; returns the records it left.
pub fn recorded(body: impl FnOnce()) -> Vec<Value> {
    let memory = Memory::new();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), body);
    memory.records()
}

struct Ticks(AtomicU64);

/// 2026-06-01T00:00:00Z.
const START: Duration = Duration::from_secs(1_780_272_000);

impl Ticks {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Clock for Ticks {
    fn now(&self) -> Time {
        Time::from_unix(START + Duration::from_millis(self.next()))
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.next())
    }
}

impl IdSource for Ticks {
    fn next(&self, time: Time) -> u128 {
        let version_and_variant = 0x7000_8000_0000_0000_0000;
        time.since_unix().as_millis() << 80 | version_and_variant | u128::from(Self::next(self))
    }
}
