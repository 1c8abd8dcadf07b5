//! Timestamps: the client of RFC 3161.

mod message;

use core::fmt;

use audit_core::anchor::{Anchor, AnchorError, AnchorErrorKind, AnchorName, Form, Kept, Request, Takes};
use audit_core::hash::Hash;
use audit_core::timestamp::Stamp;

use crate::http::{Answer, Client, Post};
use crate::{Connection, SetupError};
use message::{Malformed, Response, Status};

/// A timestamp authority of RFC 3161, asked to state when the newest checkpoint existed.
///
/// What is timestamped is the **text of the checkpoint's note without its signatures**: the three lines of origin, size and
/// root, each with its line feed, hashed with SHA-256. These are the bytes that the log and its witnesses sign, too. They
/// stay the same whoever signs later, anybody finds them as the first three lines of the note, and the root stands for every
/// entry of the log: who holds the log's key can sign another root, but not have it timestamped in the past.
///
/// What is kept is the authority's answer (`TimeStampResp`, DER) byte for byte. It was granted, and it is for this checkpoint,
/// for this request (the same nonce) and has the authority's certificate with it. **The signature of the authority is not
/// verified here**; [`OpenSsl`](crate::OpenSsl) does that, with the certificate of whoever you trust, as `docs/anchors.md` shows.
pub struct Timestamps {
    name: AnchorName,
    client: Client,
}

impl Timestamps {
    /// Makes the anchor of the timestamp authority at a URL.
    ///
    /// # Errors
    /// The URL is none of HTTP.
    pub fn new(name: AnchorName, url: &str, connection: &Connection) -> Result<Self, SetupError> {
        Ok(Self { name, client: connection.to(url)? })
    }
}

impl Anchor for Timestamps {
    fn name(&self) -> &AnchorName {
        &self.name
    }

    fn takes(&self) -> Takes {
        Takes::Newest
    }

    fn anchor(&self, request: &mut Request<'_>) -> Result<Kept, AnchorError> {
        let imprint = Hash::of(request.note().text().as_bytes());
        let nonce = nonce()?;
        let body = message::request(imprint, nonce);
        let post = Post { content_type: QUERY_TYPE, body: &body, answer_bytes_max: ANSWER_BYTES_MAX };
        let answer = self.client.post(&post)?;
        self.check_http(&answer)?;
        let response = Response::parse(&answer.body).map_err(|fault| self.malformed(&fault))?;
        self.check_status(&response.status)?;
        let token = response.token.ok_or_else(|| self.malformed(&Malformed::new("a token with the status granted")))?;
        if token.imprint != Some(imprint) {
            let found = token.imprint.map_or_else(|| "one of another algorithm".to_owned(), |found| found.to_string());
            return Err(self.not_for_us(&format!("the imprint {imprint}, found {found}")));
        }
        if token.nonce != Some(nonce) {
            return Err(self.not_for_us("the nonce of the request, found another or none"));
        }
        // Whoever verifies the log finds the imprint by itself.
        if Stamp::read(&answer.body).ok().map(|stamp| stamp.imprint) != token.imprint {
            return Err(self.malformed(&Malformed::new("the imprint where a timestamp has it")));
        }
        if !token.has_certificates {
            return Err(self.malformed(&Malformed::new("the authority's certificate in the token")));
        }
        Ok(Kept::new(Form::Timestamp, answer.body).at(token.time))
    }
}

impl Timestamps {
    fn check_http(&self, answer: &Answer) -> Result<(), AnchorError> {
        let (status, url) = (answer.status, self.client.url());
        let kind = match status {
            200 if answer.media_type == REPLY_TYPE => return Ok(()),
            200 => AnchorErrorKind::Answer,
            400 => AnchorErrorKind::Malformed,
            401 | 403 => AnchorErrorKind::UnknownKey,
            429 | 500..=599 => AnchorErrorKind::Unavailable,
            _ => AnchorErrorKind::Answer,
        };
        let (media_type, body) = (answer.media_type.escape_debug(), answer.quoted());
        let found =
            format!("expected status 200 with {REPLY_TYPE}, found {status} with {body} in {media_type} at {url}");
        Err(AnchorError::new(kind, found))
    }

    fn check_status(&self, status: &Status) -> Result<(), AnchorError> {
        if status.is_granted() {
            return Ok(());
        }
        let kind = if status.is_passing() { AnchorErrorKind::Unavailable } else { AnchorErrorKind::Malformed };
        let found = format!("expected the status granted, found {status} at {}", self.client.url());
        Err(AnchorError::new(kind, found))
    }

    fn malformed(&self, fault: &Malformed) -> AnchorError {
        AnchorError::new(AnchorErrorKind::Answer, format!("{fault} at {}", self.client.url()))
    }

    fn not_for_us(&self, expected: &str) -> AnchorError {
        AnchorError::new(AnchorErrorKind::NotByAnchor, format!("expected {expected} at {}", self.client.url()))
    }
}

impl fmt::Debug for Timestamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timestamps").field("url", &self.client.url()).finish_non_exhaustive()
    }
}

const QUERY_TYPE: &str = "application/timestamp-query";
const REPLY_TYPE: &str = "application/timestamp-reply";
/// A token with a chain of certificates is of about 6 KiB.
const ANSWER_BYTES_MAX: u64 = 65_536;

/// Returns the number by which an answer is known to be one to this request.
fn nonce() -> Result<u64, AnchorError> {
    getrandom::u64().map_err(|fault| {
        let found = format!("expected randomness for a nonce, found: {fault}");
        AnchorError::new(AnchorErrorKind::Unavailable, found)
    })
}
