//! The log's policy: the file that it is read from, and the thread that sees that the file is another one.
//!
//! That thread, `audited-policy`, runs only where there is a file. Nobody waits for it, closing neither: a file system
//! that hangs keeps a policy from being replaced and nothing else.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread::Builder;
use std::time::SystemTime;

use audit_core::audit_policy::{AuditPolicy, Limits, Parts};
use audit_core::hash::Hash;
use audit_core::sink::{AppendError, Prepared};
use audit_core::vocabulary::Stage;

use crate::log::events::Loaded;
use crate::log::{Log, Shared};
use crate::{Error, policy};

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many policies that were replaced may still be asked what they left unrecorded.
const RETIRED_MAX: usize = 16;

/// How many calls each rule left unrecorded.
pub(super) type Unrecorded = BTreeMap<String, u64>;

/// What the handles and the thread share.
pub(super) struct Policing {
    file: Option<PathBuf>,
    limits: Limits,
    /// The serial number of the policy in force, 0 without one: looked at without the lock.
    serial: AtomicU64,
    current: RwLock<Option<Arc<AuditPolicy>>>,
    /// One look at the file at a time.
    seen: Mutex<Seen>,
    ended: Mutex<bool>,
    wake: Condvar,
    /// What is told of the policies. Nobody holds it across IO.
    accounts: Mutex<Accounts>,
}

/// What was found at the last look.
#[derive(Default)]
struct Seen {
    /// The file that was read.
    read: Option<Identity>,
    /// A file that is to be read if it is the same at the next look: whoever writes it may not have finished.
    pending: Option<Identity>,
}

#[derive(Default)]
struct Accounts {
    retired: Vec<Arc<AuditPolicy>>,
    stated: Unrecorded,
    /// Why the file is not in force.
    fault: Option<String>,
}

/// What tells one file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl Identity {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode })
    }
}

/// A policy that was read and is not in force yet.
pub(super) struct Read {
    policy: AuditPolicy,
    text: String,
}

impl Policing {
    /// Reads the file, if there is to be one.
    pub(super) fn open(file: Option<PathBuf>, limits: Limits) -> Result<(Self, Option<Read>), Error> {
        let mut seen = Seen::default();
        let read = match &file {
            Some(path) => {
                seen.read = Identity::of(path);
                Some(read(path)?)
            }
            None => None,
        };
        let policing = Self {
            file,
            limits,
            serial: AtomicU64::new(0),
            current: RwLock::default(),
            seen: Mutex::new(seen),
            ended: Mutex::new(false),
            wake: Condvar::new(),
            accounts: Mutex::default(),
        };
        if read.is_none() && limits != Limits::default() {
            policing
                .put_in_force(AuditPolicy::new(Parts::default()).unwrap_or_else(|_| unreachable!("no rule is wrong")));
        }
        Ok((policing, read))
    }

    /// Returns the policy in force.
    pub(super) fn policy(&self) -> Option<Arc<AuditPolicy>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial.load(Ordering::Acquire)
    }

    /// Puts a policy in force whose record is in the log.
    pub(super) fn install(&self, read: Read) {
        self.put_in_force(read.policy);
    }

    fn put_in_force(&self, policy: AuditPolicy) {
        let policy = policy.with_limits(self.limits);
        let serial = policy.serial();
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let replaced = current.replace(Arc::new(policy));
        self.serial.store(serial, Ordering::Release);
        drop(current);
        let Some(replaced) = replaced else { return };
        let mut accounts = self.accounts();
        accounts.retired.push(replaced);
        if accounts.retired.len() > RETIRED_MAX {
            // Its calls are long over; what it counted was stated when it was replaced.
            drop(accounts.retired.remove(0));
        }
    }

    /// Takes how many calls were left unrecorded that no record states, for one that does.
    pub(super) fn take_unrecorded(&self) -> Unrecorded {
        let mut taken = Unrecorded::new();
        let mut accounts = self.accounts();
        for policy in self.policy().iter().chain(&accounts.retired) {
            for (rule, count) in policy.take_unrecorded() {
                *taken.entry(rule).or_default() += count;
            }
        }
        for (rule, count) in &taken {
            *accounts.stated.entry(rule.clone()).or_default() += count;
        }
        taken
    }

    /// Takes back what was taken: the record that was to state it is not in the log.
    pub(super) fn put_back_unrecorded(&self, taken: &Unrecorded) {
        let mut accounts = self.accounts();
        for (rule, count) in taken {
            if let Some(stated) = accounts.stated.get_mut(rule) {
                *stated = stated.saturating_sub(*count);
            }
        }
        if let Some(policy) = self.policy() {
            let counted: Vec<(String, u64)> = taken.iter().map(|(rule, count)| (rule.clone(), *count)).collect();
            policy.put_back_unrecorded(&counted);
        }
    }

    /// Returns how many calls were left unrecorded since the log was opened.
    pub(super) fn unrecorded(&self) -> Unrecorded {
        let accounts = self.accounts();
        let mut all = accounts.stated.clone();
        for policy in self.policy().iter().chain(&accounts.retired) {
            for (rule, count) in policy.unrecorded() {
                *all.entry(rule).or_default() += count;
            }
        }
        all
    }

    /// Returns why the file is not in force.
    pub(super) fn fault(&self) -> Option<String> {
        self.accounts().fault.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the thread; it is not waited for.
    pub(super) fn finish(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// Starts the thread that looks at the file.
    pub(super) fn start(self: &Arc<Self>, shared: &Arc<Shared>) -> std::io::Result<()> {
        if self.file.is_none() {
            return Ok(());
        }
        let (policing, shared) = (Arc::clone(self), Arc::downgrade(shared));
        Builder::new().name("audited-policy".to_owned()).spawn(move || policing.run(&shared)).map(drop)
    }

    fn run(&self, shared: &Weak<Shared>) {
        loop {
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.wake.wait_timeout_while(ended, INTERVAL, |ended| !*ended);
            let (ended, _timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if *ended {
                return;
            }
            drop(ended);
            let Some(shared) = shared.upgrade() else { return };
            shared.look_at_policy();
        }
    }
}

fn read(path: &Path) -> Result<Read, Error> {
    let text = policy::read_text(path)?;
    let policy = policy::parse(&text).map_err(|fault| Error::of_policy(path, fault))?;
    Ok(Read { policy, text })
}

impl Read {
    /// Returns what the record says of the policy; `is_kept` tells whether its text is among the blobs.
    pub(super) fn loaded(&self, is_kept: bool, unrecorded: Unrecorded) -> Loaded {
        let hash = Hash::of(self.text.as_bytes());
        Loaded { hash, bytes: self.text.len(), is_kept, rules: self.policy.rules().len().saturating_sub(1), unrecorded }
    }

    pub(super) fn text(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Shared {
    /// Looks whether the file is another one than the one in force, and reads it if it did not change since the last look.
    pub(super) fn look_at_policy(&self) {
        let Some(path) = &self.policing.file else { return };
        let mut seen = self.policing.seen();
        let found = Identity::of(path);
        if found.is_some() && found == seen.read {
            seen.pending = None;
            return;
        }
        if found.is_some() && found != seen.pending {
            seen.pending = found;
            return;
        }
        // Why it is not in force is in its record and in the log's health.
        let _told = self.load(path, &mut seen, found);
    }

    /// Reads the policy now.
    fn reload_policy(&self) -> Result<(), Error> {
        let Some(path) = &self.policing.file else {
            let found = "expected a log that was given the file of a policy, found one without";
            return Err(Error::key(&self.files.layout.directory, found.to_owned()));
        };
        let mut seen = self.policing.seen();
        let found = Identity::of(path);
        self.load(path, &mut seen, found)
    }

    fn load(&self, path: &Path, seen: &mut Seen, found: Option<Identity>) -> Result<(), Error> {
        let read = match read(path) {
            Ok(read) => read,
            Err(error) => {
                // A file that is not there is looked for again; one that is wrong is not read again.
                (seen.read, seen.pending) = (found, None);
                self.refuse_policy(&error);
                return Err(error);
            }
        };
        let is_in_force = self.policing.policy().is_some_and(|policy| policy.hash() == read.policy.hash());
        if !is_in_force {
            // It is tried again at the next look.
            self.record_policy(&read).map_err(|fault| Error::append(&self.files.layout.directory, fault))?;
            self.policing.install(read);
        }
        (seen.read, seen.pending) = (found, None);
        self.policing.accounts().fault = None;
        Ok(())
    }

    /// Appends the record of a policy, before it is in force.
    fn record_policy(&self, read: &Read) -> Result<(), AppendError> {
        let is_kept = self.keep(read.text()).is_some();
        let unrecorded = self.policing.take_unrecorded();
        let record = self.events.policy_loaded(&read.loaded(is_kept, unrecorded.clone()));
        let appended = self.append(&Prepared::new(&record, Stage::Event)).wait();
        appended.map(drop).inspect_err(|_fault| self.policing.put_back_unrecorded(&unrecorded))
    }

    /// Records why the file is not in force, once for each reason.
    fn refuse_policy(&self, error: &Error) {
        let reason = error.to_string();
        if self.policing.fault().as_ref() == Some(&reason) {
            return;
        }
        let in_force = self.policing.policy().and_then(|policy| policy.hash());
        let record = self.events.policy_refused(&reason, in_force);
        if self.append(&Prepared::new(&record, Stage::Event)).wait().is_ok() {
            self.policing.accounts().fault = Some(reason);
        }
    }
}

impl Log {
    /// Reads the policy's file now, rather than at the next look at it, which comes within two seconds of a change.
    ///
    /// # Errors
    /// The log was opened without [`Options::policy_file`](crate::Options::policy_file), the file cannot be read, it holds
    /// no policy ([`Error::policy`]), or the log takes no record of it. The policy that was in force stays so.
    pub fn reload_policy(&self) -> Result<(), Error> {
        self.shared().reload_policy()
    }
}
