//! Witnesses: the client of C2SP `tlog-witness`.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use audit_core::anchor::{Anchor, AnchorError, AnchorErrorKind, AnchorName, Kept, Request, Takes};
use audit_core::checkpoint::Checkpoint;
use audit_core::note::{NOTE_BYTES_MAX, Note, Signature, VerificationKey};
use audit_core::time::Time;
use audit_core::witness::AddCheckpoint;

use crate::http::{Answer, Client, Post};
use crate::{Connection, SetupError};

/// A witness, asked with `add-checkpoint` for its cosignature of the newest checkpoint.
///
/// The witness remembers the newest checkpoint that it cosigned for each log, and cosigns another one only if that
/// continues it. What is kept is the checkpoint with the log's signatures and those of the witness, which have been verified
/// against its key.
///
/// Source: C2SP `tlog-witness` and `tlog-cosignature` (Ed25519).
pub struct Witness {
    name: AnchorName,
    key: VerificationKey,
    client: Client,
    /// The size of the newest checkpoint that the witness is known to have: where a proof begins. Only a hint, as the witness
    /// tells the size that it has if it is another.
    known: AtomicU64,
}

impl Witness {
    /// Makes the anchor of a witness with this key at a URL, its *submission prefix*.
    ///
    /// # Errors
    /// The key does not make cosignatures, or the URL is none of HTTP.
    pub fn new(name: AnchorName, key: VerificationKey, url: &str, connection: &Connection) -> Result<Self, SetupError> {
        if !key.is_cosigner() {
            return Err(SetupError::new(format!("expected a key of type 4 (Ed25519 cosignatures), found {key}")));
        }
        let client = connection.to(&format!("{}/add-checkpoint", url.trim_end_matches('/')))?;
        Ok(Self { name, key, client, known: AtomicU64::new(0) })
    }

    /// Goes on from the newest note that is kept of this witness: the next proof begins at its size, and a smaller
    /// checkpoint is refused here already. Otherwise the witness is asked for its size with the first request.
    ///
    /// # Errors
    /// The note is not a checkpoint that the witness has cosigned.
    pub fn continuing(self, newest: &Note) -> Result<Self, SetupError> {
        let expected = format!("expected a checkpoint that is cosigned by {}, found", self.key);
        let checkpoint = Checkpoint::parse(newest.text())
            .map_err(|fault| SetupError::new(format!("{expected} another text")).caused_by(fault))?;
        match newest.cosigned_at(&self.key) {
            Ok(Some(_time)) => {
                self.known.store(checkpoint.size, Ordering::Relaxed);
                Ok(self)
            }
            Ok(None) => Err(SetupError::new(format!("{expected} one that is not"))),
            Err(fault) => Err(SetupError::new(format!("{expected} a bad signature")).caused_by(fault)),
        }
    }
}

impl Anchor for Witness {
    fn name(&self) -> &AnchorName {
        &self.name
    }

    fn takes(&self) -> Takes {
        Takes::Newest
    }

    fn anchor(&self, request: &mut Request<'_>) -> Result<Kept, AnchorError> {
        let size = request.checkpoint().size;
        let mut old = self.known.load(Ordering::Relaxed);
        // The second time from the size that the witness states.
        for _ in 0..2 {
            if old > size {
                return Err(self.longer(request, old));
            }
            match self.add(request, old)? {
                Added::Cosigned(kept) => {
                    self.known.fetch_max(size, Ordering::Relaxed);
                    return Ok(kept);
                }
                Added::Conflict(stated) if stated == old => {
                    let found =
                        format!("expected another size than {old} with status 409, found the same at {}", self.url());
                    return Err(AnchorError::new(AnchorErrorKind::Answer, found));
                }
                Added::Conflict(stated) => old = stated,
            }
        }
        if old > size {
            return Err(self.longer(request, old));
        }
        let found =
            format!("expected the size {old} that it stated to be taken, found another conflict at {}", self.url());
        Err(AnchorError::new(AnchorErrorKind::Contended, found))
    }
}

enum Added {
    Cosigned(Kept),
    /// The witness has a checkpoint of this size.
    Conflict(u64),
}

impl Witness {
    fn url(&self) -> &str {
        self.client.url()
    }

    fn longer(&self, request: &Request<'_>, seen: u64) -> AnchorError {
        let Checkpoint { origin, size, .. } = request.checkpoint();
        let found = format!(
            "expected a checkpoint of {origin} of at least {seen} entries, found one of {size} at {}",
            self.url()
        );
        AnchorError::new(AnchorErrorKind::Longer, found)
    }

    fn add(&self, request: &mut Request<'_>, old_size: u64) -> Result<Added, AnchorError> {
        let proof = request.consistency(old_size)?;
        let body = AddCheckpoint { old_size, proof, checkpoint: request.note().to_string() }.to_string();
        let post = Post {
            content_type: "text/plain; charset=utf-8",
            body: body.as_bytes(),
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.client.post(&post)?;
        match answer.status {
            200 => self.cosigned(request, &answer).map(Added::Cosigned),
            409 => self.stated_size(&answer).map(Added::Conflict),
            status => Err(self.refusal(request, old_size, status, &answer)),
        }
    }

    fn refusal(&self, request: &Request<'_>, old_size: u64, status: u16, answer: &Answer) -> AnchorError {
        let Checkpoint { origin, size, .. } = request.checkpoint();
        let (kind, expected) = match status {
            400 => (AnchorErrorKind::Malformed, "a witness that reads the request".to_owned()),
            403 => (AnchorErrorKind::UnknownKey, format!("a witness that knows a key which signed for {origin}")),
            404 => (AnchorErrorKind::UnknownLog, format!("a witness that knows the log {origin}")),
            422 => {
                let expected = format!("the tree of size {size} of {origin} to continue that of size {old_size}");
                (AnchorErrorKind::Inconsistent, expected)
            }
            429 | 500..=599 => (AnchorErrorKind::Unavailable, "status 200".to_owned()),
            _ => (AnchorErrorKind::Answer, "one of the statuses of a witness".to_owned()),
        };
        let found = format!("expected {expected}, found status {status} and {} at {}", answer.quoted(), self.url());
        AnchorError::new(kind, found)
    }

    fn stated_size(&self, answer: &Answer) -> Result<u64, AnchorError> {
        let size = core::str::from_utf8(&answer.body).ok().and_then(|body| parse_size(body.strip_suffix('\n')?));
        if let Some(size) = size.filter(|_size| answer.media_type == SIZE_TYPE) {
            return Ok(size);
        }
        let (media_type, body) = (answer.media_type.escape_debug(), answer.quoted());
        let found = format!(
            "expected a tree size in {SIZE_TYPE} with status 409, found {body} in {media_type} at {}",
            self.url()
        );
        Err(AnchorError::new(AnchorErrorKind::Answer, found))
    }

    /// Verifies the signatures of an answer, and returns the checkpoint with those of the witness.
    fn cosigned(&self, request: &Request<'_>, answer: &Answer) -> Result<Kept, AnchorError> {
        let Some(answered) = parse_signatures(&answer.body) else {
            let found = format!("expected lines of signatures, found {} at {}", answer.quoted(), self.url());
            return Err(AnchorError::new(AnchorErrorKind::Answer, found));
        };
        let fault = |kind, found: &str| {
            AnchorError::new(kind, format!("expected a cosignature of {}, found {found} at {}", self.key, self.url()))
        };
        let is_ours = |signature: &&Signature| signature.name == self.key.name() && signature.key_id == self.key.id();
        let of_log = request.note().signatures().iter().filter(|signature| !is_ours(signature));
        let of_witness = answered.iter().filter(is_ours);
        let mut note = Note::new(request.note().text())
            .map_err(|source| fault(AnchorErrorKind::Answer, "no note to add it to").caused_by(source))?;
        of_log.chain(of_witness).for_each(|signature| note.push(signature.clone()));
        let seconds = match note.cosigned_at(&self.key) {
            Ok(Some(0)) => return Err(fault(AnchorErrorKind::NotByAnchor, "one without a time")),
            Ok(Some(seconds)) => seconds,
            Ok(None) => return Err(fault(AnchorErrorKind::NotByAnchor, "only those of other keys")),
            Err(source) => {
                return Err(fault(AnchorErrorKind::NotByAnchor, "one that does not verify").caused_by(source));
            }
        };
        // What is kept has to be read again.
        Note::parse(&note.to_string())
            .map_err(|source| fault(AnchorErrorKind::Answer, "too many signatures").caused_by(source))?;
        Ok(Kept::note(&note).at(Time::from_unix(Duration::from_secs(seconds))))
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("key", &self.key).field("url", &self.url()).finish_non_exhaustive()
    }
}

const SIZE_TYPE: &str = "text/x.tlog.size";
const ANSWER_BYTES_MAX: u64 = NOTE_BYTES_MAX as u64;

/// Reads a tree size in decimal digits without a sign or leading zeros.
fn parse_size(text: &str) -> Option<u64> {
    let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if is_canonical { text.parse().ok() } else { None }
}

/// Reads one line or more, each of a signature and ended by a line feed.
fn parse_signatures(body: &[u8]) -> Option<Vec<Signature>> {
    let lines = core::str::from_utf8(body).ok()?.strip_suffix('\n')?;
    lines.split('\n').map(|line| Signature::parse(line).ok()).collect()
}
