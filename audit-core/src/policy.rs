//! Trust policies: which logs and witnesses are known, and how many witnesses must have cosigned a checkpoint.
//!
//! ```text
//! log example.com/orders+<key id>+<key>
//! witness east witness.example/east+<key id>+<key> https://witness.example/east
//! witness west witness.example/west+<key id>+<key>
//! group both all east west
//! quorum both
//! ```
//! Source: C2SP `tlog-policy`.

mod parse;

use core::fmt;
use std::borrow::Cow;

use crate::checkpoint::{Checkpoint, ParseCheckpointError};
use crate::note::{BadSignature, Note, VerificationKey};

pub use parse::ParsePolicyError;

/// How long a policy may be.
pub const POLICY_BYTES_MAX: usize = 65_536;
/// How many logs, witnesses and groups a policy may have of each; the specification asks for at least 32.
pub const POLICY_LINES_MAX: usize = 128;

/// A trust policy, read from a file by [`parse`](Self::parse).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<KnownLog>,
    /// Witnesses and groups in the order of their lines: the members of a group stand before it.
    members: Vec<Member>,
    /// The place in `members` of what has to have witnessed a checkpoint; `None` if nothing has to.
    quorum: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    Witness(KnownWitness),
    Group(Group),
}

/// A log of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLog {
    key: VerificationKey,
    url: Option<Vec<u8>>,
}

/// A witness of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownWitness {
    name: Vec<u8>,
    key: VerificationKey,
    url: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: Vec<u8>,
    /// How many members must have witnessed.
    needed: usize,
    /// Their places, each before the group's own.
    members: Vec<usize>,
}

/// A cosignature that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosigned<'a> {
    /// The witness that made it.
    pub witness: &'a KnownWitness,
    /// The time by the clock of the witness, in seconds since 1970.
    pub time: u64,
}

impl Policy {
    /// Returns the logs, in the order of the file. If there are none, which log it is must be known otherwise.
    #[must_use]
    pub fn logs(&self) -> &[KnownLog] {
        &self.logs
    }

    /// Returns the witnesses, in the order of the file.
    pub fn witnesses(&self) -> impl Iterator<Item = &KnownWitness> {
        self.members.iter().filter_map(Member::witness)
    }

    /// Tells whether checkpoints need no witness: `quorum none`.
    #[must_use]
    pub const fn needs_no_witness(&self) -> bool {
        self.quorum.is_none()
    }

    /// Checks a signed checkpoint: that one of the logs signed it, if there are any, and that the quorum cosigned it.
    ///
    /// Returns the cosignatures of known witnesses, in the order of the file; there may be more of them than the quorum
    /// asks for. Signatures of unknown keys are passed over.
    ///
    /// # Errors
    /// The text is not a checkpoint, a signature of a known log or witness does not verify, no known log of this origin
    /// signed it, or too few witnesses did.
    pub fn check(&self, note: &Note) -> Result<Vec<Cosigned<'_>>, PolicyError> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(PolicyError::Checkpoint)?;
        self.check_log(&checkpoint.origin, note)?;
        self.check_quorum(note)
    }

    /// Checks that the quorum cosigned a note, whoever else signed it: for those who know the log's key otherwise, as through
    /// rotations from a first one. Returns what [`check`](Self::check) does.
    ///
    /// # Errors
    /// A signature of a known witness does not verify, or too few witnesses cosigned the note.
    pub fn check_quorum(&self, note: &Note) -> Result<Vec<Cosigned<'_>>, PolicyError> {
        let cosigned = self.check_cosignatures(note)?;
        let has_cosigned = |witness: &KnownWitness| cosigned.iter().any(|one| one.witness == witness);
        match self.quorum.filter(|_| !self.is_met_by(has_cosigned)) {
            Some(quorum) => Err(self.too_few(quorum, &cosigned)),
            None => Ok(cosigned),
        }
    }

    /// Returns the cosignatures of known witnesses on a checkpoint of a known log, in the order of the file, whether or not
    /// the quorum is among them.
    ///
    /// # Errors
    /// As [`check`](Self::check), but for too few witnesses.
    pub fn check_signatures(&self, note: &Note) -> Result<Vec<Cosigned<'_>>, PolicyError> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(PolicyError::Checkpoint)?;
        self.check_log(&checkpoint.origin, note)?;
        self.check_cosignatures(note)
    }

    /// Returns the cosignatures of known witnesses on a note, in the order of the file, whoever else signed it and whether or
    /// not the quorum is among them.
    ///
    /// # Errors
    /// A signature of a known witness does not verify.
    pub fn check_cosignatures(&self, note: &Note) -> Result<Vec<Cosigned<'_>>, PolicyError> {
        let mut cosigned = Vec::new();
        for witness in self.witnesses() {
            let time = note.cosigned_at(&witness.key).map_err(PolicyError::Signature)?;
            cosigned.extend(time.map(|time| Cosigned { witness, time }));
        }
        Ok(cosigned)
    }

    /// Tells whether these witnesses are a quorum.
    ///
    /// It is for whoever knows more than one note says: a witness that cosigned a tree vouches for every tree that is known
    /// to be its beginning.
    pub fn is_met_by(&self, mut has_witnessed: impl FnMut(&KnownWitness) -> bool) -> bool {
        let mut met = Vec::with_capacity(self.members.len());
        for member in &self.members {
            met.push(match member {
                Member::Witness(witness) => has_witnessed(witness),
                Member::Group(group) => group.count(&met) >= group.needed,
            });
        }
        self.quorum.is_none_or(|quorum| met.get(quorum) == Some(&true))
    }

    fn check_log(&self, origin: &str, note: &Note) -> Result<(), PolicyError> {
        let mut is_signed = self.logs.is_empty();
        for log in self.logs.iter().filter(|log| log.key.name() == origin) {
            is_signed |= note.is_signed_by(&log.key).map_err(PolicyError::Signature)?;
        }
        if is_signed { Ok(()) } else { Err(PolicyError::UnknownLog { origin: origin.to_owned() }) }
    }

    fn too_few(&self, quorum: usize, cosigned: &[Cosigned<'_>]) -> PolicyError {
        let expected = self.members.get(quorum).map(Member::to_string).unwrap_or_default();
        let found = cosigned.iter().map(|cosigned| cosigned.witness.name().into_owned()).collect();
        PolicyError::TooFewWitnesses { expected, found }
    }
}

impl Group {
    fn count(&self, has_witnessed: &[bool]) -> usize {
        self.members.iter().filter(|member| has_witnessed.get(**member) == Some(&true)).count()
    }
}

impl Member {
    const fn witness(&self) -> Option<&KnownWitness> {
        match self {
            Self::Witness(witness) => Some(witness),
            Self::Group(_) => None,
        }
    }

    fn name(&self) -> &[u8] {
        match self {
            Self::Witness(witness) => &witness.name,
            Self::Group(group) => &group.name,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = String::from_utf8_lossy(self.name());
        match self {
            Self::Witness(_) => write!(f, "the witness {name}"),
            Self::Group(group) => write!(f, "{} of the {} members of {name}", group.needed, group.members.len()),
        }
    }
}

impl KnownLog {
    /// Returns the key of the log; its name is the log's origin.
    #[must_use]
    pub const fn key(&self) -> &VerificationKey {
        &self.key
    }

    /// Returns the URL as it stands in the file. What is not UTF-8 is replaced.
    #[must_use]
    pub fn url(&self) -> Option<Cow<'_, str>> {
        self.url.as_deref().map(String::from_utf8_lossy)
    }
}

impl KnownWitness {
    /// Returns the name that the policy gives the witness. What is not UTF-8 is replaced.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    /// Returns the key of the witness.
    #[must_use]
    pub const fn key(&self) -> &VerificationKey {
        &self.key
    }

    /// Returns the URL as it stands in the file: best the submission prefix of `tlog-witness`. What is not UTF-8 is replaced.
    #[must_use]
    pub fn url(&self) -> Option<Cow<'_, str>> {
        self.url.as_deref().map(String::from_utf8_lossy)
    }
}

/// Why a checkpoint does not meet a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text of the note is not a checkpoint.
    Checkpoint(ParseCheckpointError),
    /// A signature names a known key and was not made by it.
    Signature(BadSignature),
    /// No log of the policy that has the checkpoint's origin signed it.
    UnknownLog {
        /// The origin of the checkpoint.
        origin: String,
    },
    /// The quorum did not cosign the checkpoint.
    TooFewWitnesses {
        /// What the quorum asks for.
        expected: String,
        /// The names of the witnesses that did.
        found: Vec<String>,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(fault) => write!(f, "the note does not meet the policy: {fault}"),
            Self::Signature(fault) => write!(f, "the checkpoint does not meet the policy: {fault}"),
            Self::UnknownLog { origin } => write!(
                f,
                "the checkpoint does not meet the policy: expected a signature of a known log with the origin {origin}, \
                 found none"
            ),
            Self::TooFewWitnesses { expected, found } => {
                write!(f, "the checkpoint does not meet the policy: expected cosignatures of {expected}, found ")?;
                if found.is_empty() { f.write_str("none") } else { write!(f, "those of {}", found.join(", ")) }
            }
        }
    }
}

impl std::error::Error for PolicyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Checkpoint(source) => Some(source),
            Self::Signature(source) => Some(source),
            Self::UnknownLog { .. } | Self::TooFewWitnesses { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
