//! The verification of timestamps, by OpenSSL.

use core::time::Duration;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use audit_core::hash::Hash;
use audit_core::timestamp::Authority;

/// Verifies timestamps with the program `openssl`, against certificates that are trusted.
///
/// For each it runs `openssl ts -verify -in FILE -digest IMPRINT -CAfile CERTIFICATES`, without a shell: that the timestamp is
/// of this hash, is signed, and by an authority whose certificate leads to one of those in the file. The certificates count
/// as they are now: one that has ended verifies nothing. The program is looked for as the system does, and has ten seconds.
#[derive(Clone, Debug)]
pub struct OpenSsl {
    program: PathBuf,
    certificates: PathBuf,
}

/// How long the program may take: some milliseconds are usual.
const TIME_MAX: Duration = Duration::from_secs(10);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(1);
/// How much of what the program says is told.
const SAID_BYTES_MAX: u64 = 4_096;

impl OpenSsl {
    /// Trusts the certificates of this file, in PEM: the roots of the authorities, from themselves.
    #[must_use]
    pub fn new(certificates: impl Into<PathBuf>) -> Self {
        Self { program: "openssl".into(), certificates: certificates.into() }
    }

    /// Sets the program, `openssl` by default.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    fn start(&self, response: &Path, imprint: Hash) -> io::Result<Child> {
        Command::new(&self.program)
            .args(["ts", "-verify", "-in"])
            .arg(response)
            .args(["-digest", &imprint.to_string(), "-CAfile"])
            .arg(&self.certificates)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    }
}

impl Authority for OpenSsl {
    fn verify(&self, response: &Path, imprint: Hash) -> Result<(), String> {
        let name = self.program.display();
        let mut child = self.start(response, imprint).map_err(|fault| match fault.kind() {
            io::ErrorKind::NotFound => format!("no program {name} to verify timestamps with"),
            _ => format!("could not run {name}: {fault}"),
        })?;
        let begun = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(_status)) => return Err(format!("{name} does not verify it: {}", said(&mut child))),
                Ok(None) if begun.elapsed() < TIME_MAX => std::thread::sleep(PAUSE),
                ended => {
                    let _is_gone = child.kill();
                    let _is_gone = child.wait();
                    let found =
                        ended.err().map_or_else(|| "no answer in 10 seconds".to_owned(), |fault| fault.to_string());
                    return Err(format!("expected an answer of {name}, found: {found}"));
                }
            }
        }
    }
}

/// Returns the reason that the program gives: the first of its errors, of which each is a line of fields between colons.
fn said(child: &mut Child) -> String {
    let mut bytes = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        let _cut_off = stderr.take(SAID_BYTES_MAX).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().find(|line| line.contains("error:")).unwrap_or("no reason is told");
    // `<thread>:error:<code>:<library>:<function>:<reason>:<file>:<line>:<data>`
    let fields: Vec<&str> = line.split(':').collect();
    let reason = fields.get(5).filter(|reason| !reason.is_empty()).map_or(line, |reason| *reason);
    let data = fields.get(8..).map(|data| data.join(":")).unwrap_or_default();
    [reason, data.trim()].join(" ").trim().escape_debug().to_string()
}
