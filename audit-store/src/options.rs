//! How a log is opened.

use core::fmt;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::anchor::Anchor;
use audit_core::id::{IdSource, RandomIds};
use audit_core::note::Signer;
use audit_core::privacy::Privacy;
use audit_core::time::{Clock, SystemClock};
use audit_core::vocabulary::Durability;

use crate::anchors::Pace;
use crate::disk::SystemDisk;
use crate::keyring::KeyRing;
use crate::keys::{Keys, Rotation};
use crate::log::Process;
use crate::{Error, Log, journal, log};

/// How long the name of a log may be, in bytes.
const ORIGIN_BYTES_MAX: usize = 255;

/// The settings of a log; [`open`](Self::open) applies them.
#[derive(Clone)]
pub struct Options {
    pub(crate) origin: Option<String>,
    pub(crate) durability: Durability,
    pub(crate) append_timeout: Duration,
    pub(crate) journal_bytes: u64,
    pub(crate) segment_bytes_max: u64,
    pub(crate) segment_age_max: Option<Duration>,
    pub(crate) compress: bool,
    pub(crate) tiles: bool,
    pub(crate) commit_interval: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) heartbeat_seconds: u32,
    pub(crate) keys: Keys,
    pub(crate) key_ring: Option<Arc<dyn KeyRing>>,
    pub(crate) privacy: Option<Privacy>,
    pub(crate) anchors: Vec<Arc<dyn Anchor>>,
    pub(crate) anchor_pace: Pace,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) process: Process,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            origin: None,
            durability: Durability::Os,
            append_timeout: Duration::from_secs(5),
            journal_bytes: journal::FILE_BYTES_DEFAULT,
            segment_bytes_max: 64 * 1024 * 1024,
            segment_age_max: None,
            compress: true,
            tiles: true,
            commit_interval: Duration::from_secs(1),
            close_timeout: Duration::from_secs(1),
            heartbeat_seconds: 0,
            keys: Keys::default(),
            key_ring: None,
            privacy: None,
            anchors: Vec::new(),
            anchor_pace: Pace::DEFAULT,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            process: Process::CURRENT,
        }
    }
}

impl Options {
    /// Returns the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the log: 1 to 255 bytes without spaces, control characters or `+`, best as a domain and a path.
    ///
    /// The name is written once, when the log is created. The default is `audited.local/<stream id>` for a new log and
    /// the log's own name for an existing one.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Says what each record has survived when its receipt resolves, unless the record demands more.
    ///
    /// The default is [`Durability::Os`].
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Limits how long a record waits for room in the journal, and for the disk where that is demanded. The default is five
    /// seconds.
    ///
    /// When the time is over the record is refused: with the error that stands in the way of writing, or as
    /// [`Busy`](audit_core::sink::AppendErrorKind::Busy). An action may say otherwise with `append_timeout_ms`. What then becomes of its call is for the action's policy to say.
    #[must_use]
    pub const fn append_timeout(mut self, timeout: Duration) -> Self {
        self.append_timeout = timeout;
        self
    }

    /// Sets the size of each of the two files of the journal, 136 KiB to 64 MiB. The default is 8 MiB.
    ///
    /// They hold what was appended and is not in a segment yet: some microseconds' worth while the disk answers, and as much
    /// as they have room for while it does not. Their space is taken when the log is opened.
    #[must_use]
    pub const fn journal_bytes(mut self, bytes: u64) -> Self {
        self.journal_bytes = bytes;
        self
    }

    /// Begins a new segment with the first record after a segment has become this old. The default is no limit.
    #[must_use]
    pub const fn segment_age_max(mut self, age: Option<Duration>) -> Self {
        self.segment_age_max = age;
        self
    }

    /// Says whether full segments are compressed, by a thread of the log's own. The default is that they are.
    #[must_use]
    pub const fn compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// Says whether the log's Merkle tree is kept in tiles, by a thread of the log's own. The default is that it is.
    ///
    /// They take 32 bytes for an entry, and make proofs quick. Who reads the log makes what is missing from the segments.
    #[must_use]
    pub const fn tiles(mut self, tiles: bool) -> Self {
        self.tiles = tiles;
        self
    }

    /// Limits a segment file; the entry that would exceed it begins the next one. The default is 64 MiB.
    #[must_use]
    pub const fn segment_bytes_max(mut self, bytes: u64) -> Self {
        self.segment_bytes_max = bytes;
        self
    }

    /// Says how long an entry may rest without a checkpoint that covers it, at least a millisecond. The default is
    /// one second.
    #[must_use]
    pub const fn commit_interval(mut self, interval: Duration) -> Self {
        self.commit_interval = interval;
        self
    }

    /// Says how long closing waits for open calls to end. The default is one second.
    #[must_use]
    pub const fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Announces in `log.opened` how often the log promises a sign of life; 0, the default, promises none.
    #[must_use]
    pub const fn heartbeat_seconds(mut self, seconds: u32) -> Self {
        self.heartbeat_seconds = seconds;
        self
    }

    /// Signs the checkpoints with the secret in a file, which is replaced by the next one from time to time.
    ///
    /// A new log is given the secret that the file holds ([`keys::create_key_file`](crate::keys::create_key_file),
    /// `audited key new`), or a new one if there is no file. Its name is the log's [`origin`](Self::origin), and the origin
    /// of a new log without one. Whoever pins the first key needs no other: each names the next one. The file belongs to
    /// one log, and to no backup of it. A log that is opened beside another has a file of its own, `<file>.<n>`.
    #[must_use]
    pub fn key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.keys.file = Some(path.into());
        self
    }

    /// Says when the secret in the [`key_file`](Self::key_file) is replaced.
    #[must_use]
    pub const fn rotation(mut self, rotation: Rotation) -> Self {
        self.keys.rotation = rotation;
        self
    }

    /// Signs the checkpoints with a key that never changes, held by a service, a module or in memory
    /// ([`secret_from_environment`](crate::keys::secret_from_environment)).
    ///
    /// Beside a [`key_file`](Self::key_file) it is the log's identity: a second signature, for witnesses and for tools that
    /// know one key of a log. Only a new log can be given keys, and it is opened with the same ones ever after.
    #[must_use]
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.keys.signer = Some(signer);
        self
    }

    /// Makes tokens and seals values with the keys of a ring, where the rules of redaction say so. Without a ring such values
    /// are left out.
    ///
    /// The ring lies outside the log and its backups. Sealed values are kept in `<log>/payloads` until the key of their
    /// subject is destroyed (`audited erase`). Several logs and processes may share a ring.
    #[must_use]
    pub fn key_ring(mut self, ring: Arc<dyn KeyRing>) -> Self {
        self.key_ring = Some(ring);
        self
    }

    /// Says what is removed from every record of the log, beside what attributes and types say. The default is
    /// [`Privacy::default`].
    #[must_use]
    pub fn privacy(mut self, privacy: Privacy) -> Self {
        self.privacy = Some(privacy);
        self
    }

    /// Gives the checkpoints to an anchor: a witness, a timestamp authority, another host. A log may have several, each with
    /// a name of its own; a second one of a name takes the place of the first. An anchor belongs to one log.
    ///
    /// It is called on a thread of its own, and what it gives is kept in `<log>/anchors`. `anchor.added` and `anchor.failed`
    /// are recorded. Nobody waits for it but closing, within the [`close_timeout`](Self::close_timeout); what it could not
    /// be given by then it is given by the next opening, or by `audited anchor`.
    #[must_use]
    pub fn anchor(mut self, anchor: Arc<dyn Anchor>) -> Self {
        self.anchors.retain(|other| other.name() != anchor.name());
        self.anchors.push(anchor);
        self
    }

    /// Says how often anchors are given checkpoints, and how soon again what failed.
    #[must_use]
    pub const fn anchor_pace(mut self, pace: Pace) -> Self {
        self.anchor_pace = pace;
        self
    }

    /// Takes the time of the log's own records from the given clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes the identifiers of the stream and of the log's own records from the given source.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Opens the log at `path`, or creates it.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Log, Error> {
        log::open(self, path.as_ref(), Arc::new(SystemDisk))
    }

    /// Refuses an origin that cannot stand in a checkpoint or name a key (C2SP `signed-note`).
    pub(crate) fn check_origin(&self, path: &Path) -> Result<(), Error> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let is_foreign = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
        if origin.is_empty() || origin.len() > ORIGIN_BYTES_MAX || origin.contains(is_foreign) {
            return Err(Error::invalid_origin(path, origin));
        }
        Ok(())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("origin", &self.origin)
            .field("durability", &self.durability)
            .field("append_timeout", &self.append_timeout)
            .field("journal_bytes", &self.journal_bytes)
            .field("segment_bytes_max", &self.segment_bytes_max)
            .field("segment_age_max", &self.segment_age_max)
            .field("compress", &self.compress)
            .field("commit_interval", &self.commit_interval)
            .field("close_timeout", &self.close_timeout)
            .field("heartbeat_seconds", &self.heartbeat_seconds)
            .field("keys", &self.keys)
            .field("key_ring", &self.key_ring)
            .field("anchors", &self.anchors.iter().map(|anchor| anchor.name()).collect::<Vec<_>>())
            .field("anchor_pace", &self.anchor_pace)
            .finish_non_exhaustive()
    }
}
