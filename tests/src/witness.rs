//! A witness of a few lines: C2SP `tlog-witness`, `add-checkpoint` alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use audit_core::checkpoint::{Checkpoint, split_note};
use audit_core::note::{Algorithm, Note, SecretKey, Signature, VerificationKey};
use audit_core::witness::AddCheckpoint;

use crate::http::{Received, Reply, Server};

/// The time at which a [`Witness`] says that it cosigned.
pub const COSIGNED_AT: u64 = 1_700_000_000;

/// A witness on 127.0.0.1 with a key of its own. It keeps the newest checkpoint of each log that it knows, and cosigns
/// another one only if that continues it.
#[derive(Debug)]
pub struct Witness {
    server: Server,
    state: Arc<Mutex<State>>,
    key: VerificationKey,
}

#[derive(Debug)]
struct State {
    secret: SecretKey,
    key: VerificationKey,
    logs: Vec<VerificationKey>,
    newest: BTreeMap<String, Checkpoint>,
    file: Option<PathBuf>,
    fault: Option<Fault>,
    requests: usize,
}

/// In which way a witness fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It says this, whatever was asked.
    Says(Reply),
    /// It cosigns, and what it says does not verify.
    BadSignature,
    /// It cosigns with another key than its own, under another name.
    OtherKey,
    /// It cosigns without saying when.
    NoTime,
    /// It cosigns and keeps the checkpoint, and the answer is lost.
    AnswerLost,
}

impl Witness {
    /// Starts a witness, with a key made of the seed, that knows these logs by their keys. What it has seen it keeps in the
    /// file, if one is named, and goes on from there.
    ///
    /// # Errors
    /// There is no port, or the name or the file is none.
    pub fn start(name: &str, seed: u8, logs: &[VerificationKey], file: Option<&Path>) -> io::Result<Self> {
        let secret = SecretKey::from_bytes(name, &[seed; 32]).map_err(io::Error::other)?;
        let key = cosigner(&secret)?;
        let newest = file.map(load).transpose()?.unwrap_or_default();
        let file = file.map(Path::to_path_buf);
        let state = State { secret, key: key.clone(), logs: logs.to_vec(), newest, file, fault: None, requests: 0 };
        let state = Arc::new(Mutex::new(state));
        let inside = Arc::clone(&state);
        let server = Server::start(move |received| lock(&inside).receive(received))?;
        Ok(Self { server, state, key })
    }

    /// Returns the key that verifies its cosignatures.
    #[must_use]
    pub const fn key(&self) -> &VerificationKey {
        &self.key
    }

    /// Returns its submission prefix.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Lets it fail from now on, or work again.
    pub fn fail(&self, fault: impl Into<Option<Fault>>) {
        lock(&self.state).fault = fault.into();
    }

    /// Returns the newest checkpoint of a log that it has seen.
    #[must_use]
    pub fn newest(&self, origin: &str) -> Option<Checkpoint> {
        lock(&self.state).newest.get(origin).cloned()
    }

    /// Returns how many requests there were.
    #[must_use]
    pub fn requests(&self) -> usize {
        lock(&self.state).requests
    }

    /// Returns how many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.connections()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cosigner(secret: &SecretKey) -> io::Result<VerificationKey> {
    let public = secret.verification_key().map_err(io::Error::other)?.public_key();
    VerificationKey::new(secret.name(), Algorithm::Cosignature, public).map_err(io::Error::other)
}

fn load(file: &Path) -> io::Result<BTreeMap<String, Checkpoint>> {
    let text = if file.exists() { fs::read_to_string(file)? } else { String::new() };
    let mut newest = BTreeMap::new();
    let mut rest = text.as_str();
    while let Some((note, after)) = split_note(rest) {
        let checkpoint = Checkpoint::parse(note).map_err(io::Error::other)?;
        newest.insert(checkpoint.origin.clone(), checkpoint);
        rest = after;
    }
    Ok(newest)
}

impl State {
    fn receive(&mut self, received: &Received) -> Reply {
        self.requests += 1;
        if let Some(Fault::Says(reply)) = &self.fault {
            return reply.clone();
        }
        if received.path != "/add-checkpoint" || received.method != "POST" {
            return refusal(404, "there is only POST /add-checkpoint");
        }
        self.add(&received.body).unwrap_or_else(|refusal| refusal)
    }

    /// Does what the specification says, in its order.
    fn add(&mut self, body: &[u8]) -> Result<Reply, Reply> {
        let malformed = |_fault| refusal(400, "malformed");
        let request = AddCheckpoint::parse(body).map_err(|fault| refusal(400, &fault.to_string()))?;
        let note = Note::parse(&request.checkpoint).map_err(|fault| refusal(400, &fault.to_string()))?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|fault| refusal(400, &fault.to_string()))?;
        let mut keys = self.logs.iter().filter(|key| key.name() == checkpoint.origin).peekable();
        if keys.peek().is_none() {
            return Err(refusal(404, "unknown log"));
        }
        if !keys.any(|key| note.is_signed_by(key) == Ok(true)) {
            return Err(refusal(403, "no signature of a known key"));
        }
        if request.old_size > checkpoint.size {
            return Err(refusal(400, "the old size is above the new one"));
        }
        let newest = self.newest.get(&checkpoint.origin);
        let (size, root) = newest.map_or((0, checkpoint.root), |newest| (newest.size, newest.root));
        if request.old_size != size {
            return Err(Reply::answer(409, "text/x.tlog.size", format!("{size}\n")));
        }
        request.check(root, checkpoint.size, checkpoint.root).map_err(|fault| refusal(422, &fault.to_string()))?;
        self.newest.insert(checkpoint.origin.clone(), checkpoint);
        self.persist().map_err(|fault| refusal(500, &fault.to_string()))?;
        self.cosign(&note).map_err(malformed)
    }

    /// Keeps what it has seen, before it is told.
    fn persist(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let new = file.with_extension("new");
        fs::write(&new, self.newest.values().map(Checkpoint::to_string).collect::<String>())?;
        fs::rename(new, file)
    }

    fn cosign(&self, note: &Note) -> io::Result<Reply> {
        let cosign = |secret: &SecretKey, key: &VerificationKey, time| {
            Signature::cosign(note.text(), time, key, secret).map_err(io::Error::other)
        };
        let mut signature = cosign(&self.secret, &self.key, COSIGNED_AT)?;
        match self.fault {
            None | Some(Fault::Says(_)) => {}
            Some(Fault::BadSignature) => signature.bytes.iter_mut().for_each(|byte| *byte ^= 1),
            Some(Fault::NoTime) => signature = cosign(&self.secret, &self.key, 0)?,
            Some(Fault::AnswerLost) => return Ok(Reply::End),
            Some(Fault::OtherKey) => {
                let other = SecretKey::generate("witness.example/other").map_err(io::Error::other)?;
                signature = cosign(&other, &cosigner(&other)?, COSIGNED_AT)?;
            }
        }
        // A key that nobody knows signs, too, as may be.
        let unknown = Signature { key_id: [1, 2, 3, 4], ..signature.clone() };
        Ok(Reply::answer(200, "text/plain", format!("{unknown}\n{signature}\n")))
    }
}

fn refusal(status: u16, reason: &str) -> Reply {
    Reply::answer(status, "text/plain; charset=utf-8", format!("{reason}\n"))
}
