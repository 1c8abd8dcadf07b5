//! Start-up in one call.

use core::fmt;
use std::path::{self, Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use audit_store::{Error, Guard, Log, Options};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::doctor::{Diagnosis, DoctorError, doctor};
#[cfg(feature = "opentelemetry")]
use crate::opentelemetry::setup::{Sending, SetupError};
use crate::{audit_filter, layer, telemetry_filter};

/// The id of the process whose guard of [`init`] lives; none has the id 0. In a forked copy of that process it is another
/// one's.
static INITIALISED: AtomicU32 = AtomicU32::new(0);

/// The log that [`init`] opened beside the one that it was asked for, and the process that it did that for.
static SIBLING: Mutex<Option<(u32, PathBuf)>> = Mutex::new(None);

/// Opens the log in the directory `path`, made if there is none, and records every audited call in it until the guard is
/// dropped.
///
/// A log has one writer. While another process holds the log, this one opens the lowest free one of the logs beside it:
/// `<path>.1`, `<path>.2` and so on; [`InitGuard::path`] tells which, and so does [`doctor`](fn@crate::doctor). The command
/// `audited` reads all of them together. A forked process never writes into the log of the process that it was forked from;
/// it may call `init` again and then has a log of its own.
///
/// It also installs a tracing subscriber that prints telemetry to stderr as `RUST_LOG` says (`target=level,…`; warnings
/// unless set), without the audit spans. Where a subscriber is installed already that one stays, and records reach the
/// log through the process-wide recorder.
///
/// With the feature `opentelemetry` the standard `OTEL_*` variables are heeded: traces and metrics are sent over OTLP, and so
/// is the log, from its files, where they ask for it. See `audited::opentelemetry::setup`.
///
/// # Errors
/// The log cannot be opened (the directory is not a log, it is of a newer schema, it does not verify, other processes hold
/// it and all [`SIBLINGS_MAX`](crate::SIBLINGS_MAX) logs beside it), or an earlier `init` of this process is still at work.
pub fn init(path: impl AsRef<Path>) -> Result<InitGuard, InitError> {
    init_with(path, Log::options())
}

/// Starts like [`init`], with a log that is opened as the options say.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let (path, key_file) = (directory.path().join("audit"), directory.path().join("audit.key"));
/// let options = audited::Log::options().origin("example.com/orders").key_file(&key_file);
/// audited::init_with(&path, options)?.close()?;
/// # assert!(audited::verify_log(&path)?.keys.first.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As for [`init`], and what the options demand cannot be met: a key is missing, or not the log's.
pub fn init_with(path: impl AsRef<Path>, options: Options) -> Result<InitGuard, InitError> {
    // Given back on every way out but the last.
    let initialised = Initialised::take().ok_or(InitError(Kind::Twice))?;
    let log = options.open_or_sibling(&path).map_err(|error| InitError(Kind::Open(error)))?;
    initialised.note(path.as_ref(), log.path());
    #[cfg(feature = "opentelemetry")]
    let sending = sending_of(&log)?;
    let audit = layer(&log).with_filter(audit_filter());
    let telemetry =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(levels().and(telemetry_filter()));
    // An error says that there is a subscriber already; the recorder serves the calls then.
    let subscriber = tracing_subscriber::registry().with(audit).with(telemetry);
    #[cfg(feature = "opentelemetry")]
    let subscriber = subscriber.with(sending.layer());
    let _there_is_one = subscriber.try_init();
    Ok(InitGuard {
        guard: log.guard(),
        log,
        #[cfg(feature = "opentelemetry")]
        sending,
        _initialised: initialised,
    })
}

/// Starts like [`init`], and refuses to where something stands in the way: [`doctor`](fn@crate::doctor) is asked, and its
/// diagnosis must be [clear](crate::doctor::Diagnosis::is_clear).
///
/// # Errors
/// As for [`init`], or calls of this thread would not be recorded or their spans not be seen: another subscriber was
/// installed first, tracing is compiled out, … [`InitError::diagnosis`] says what. The log is closed then; it holds the
/// self-test.
pub fn init_strict(path: impl AsRef<Path>) -> Result<InitGuard, InitError> {
    let guard = init(path)?;
    match doctor().strict() {
        Ok(_clear) => Ok(guard),
        Err(error) => Err(InitError(Kind::Obstructed(error))),
    }
}

#[cfg(feature = "opentelemetry")]
fn sending_of(log: &Log) -> Result<Sending, InitError> {
    let failed = |fault| InitError(Kind::Sending(fault));
    let mut sending = Sending::from_environment().map_err(failed)?;
    sending.begin(log).map_err(failed)?;
    Ok(sending)
}

fn levels() -> Targets {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN))
}

/// The turn of a process, by its id.
#[derive(Debug)]
struct Initialised(u32);

impl Initialised {
    fn take() -> Option<Self> {
        let process = process::id();
        let free = |holder| (holder != process).then_some(process);
        INITIALISED.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        Some(Self(process))
    }

    /// Keeps where records go if that is not where they were to go.
    fn note(&self, wanted: &Path, opened: &Path) {
        let is_wanted = path::absolute(wanted).is_ok_and(|wanted| wanted == opened);
        // The doctor alone looks at it, and never for long.
        *SIBLING.lock().unwrap_or_else(PoisonError::into_inner) = (!is_wanted).then(|| (self.0, opened.to_owned()));
    }
}

/// Returns the log beside the one that was asked for, if records of [`init`] go there.
pub(crate) fn sibling() -> Option<PathBuf> {
    // In a forked copy of the process the lock may be held for ever, by a thread that is not there.
    let sibling = SIBLING.try_lock().ok()?;
    let (process, path) = sibling.as_ref()?;
    let is_at_work = *process == process::id() && INITIALISED.load(Ordering::Acquire) == *process;
    is_at_work.then(|| path.clone())
}

impl Drop for Initialised {
    fn drop(&mut self) {
        // A copy that was forked with its process ends nobody else's turn.
        let _someone_elses = INITIALISED.compare_exchange(self.0, 0, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// Closes the log when it is dropped: open calls are waited for up to a limit, `log.closed` is written, all is flushed.
#[derive(Debug)]
#[must_use = "the log is closed when the guard is dropped; bind it to a name: `let _guard = …`"]
pub struct InitGuard {
    // Dropped first: its last checkpoint is still to be sent.
    guard: Guard,
    log: Log,
    #[cfg(feature = "opentelemetry")]
    sending: Sending,
    _initialised: Initialised,
}

impl InitGuard {
    /// Returns the absolute path of the log that was opened: the one that was asked for, or the one beside it that was free.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.log.path()
    }

    /// Closes the log and tells whether that went well, which dropping the guard cannot. What is sent elsewhere is sent to
    /// its end, within limits; what is in the way of that is no error here: the log has all of it.
    ///
    /// # Errors
    /// The last records are not on the disk.
    pub fn close(self) -> Result<(), Error> {
        let closed = self.guard.close();
        #[cfg(feature = "opentelemetry")]
        drop(self.sending);
        closed
    }
}

/// Recording could not be started.
#[derive(Debug)]
pub struct InitError(Kind);

#[derive(Debug)]
enum Kind {
    Twice,
    Open(Error),
    Obstructed(DoctorError),
    #[cfg(feature = "opentelemetry")]
    Sending(SetupError),
}

impl InitError {
    /// Tells whether an earlier `init` of this process is still at work.
    #[must_use]
    pub const fn is_twice(&self) -> bool {
        matches!(self.0, Kind::Twice)
    }

    /// Returns the store's error if the log could not be opened.
    #[must_use]
    pub const fn open_error(&self) -> Option<&Error> {
        match &self.0 {
            Kind::Open(error) => Some(error),
            _ => None,
        }
    }

    /// Returns what stands in the way if [`init_strict`] refused to start for it.
    #[must_use]
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        match &self.0 {
            Kind::Obstructed(error) => Some(error.diagnosis()),
            _ => None,
        }
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Twice => f.write_str("expected one `audited::init` at a time, found an earlier one still at work"),
            Kind::Open(_) => f.write_str("the audit log could not be opened"),
            Kind::Obstructed(_) => f.write_str("something stands in the way of the audit"),
            #[cfg(feature = "opentelemetry")]
            Kind::Sending(_) => f.write_str("OpenTelemetry could not be set up as its variables say"),
        }
    }
}

impl std::error::Error for InitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Twice => None,
            Kind::Open(error) => Some(error),
            Kind::Obstructed(error) => Some(error),
            #[cfg(feature = "opentelemetry")]
            Kind::Sending(error) => Some(error),
        }
    }
}
