//! The two verifiers: the library, and `docs/verify.py` in a Python that stays.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use audit_anchor::OpenSsl;
use audit_core::note::VerificationKey;
use audit_core::seal::SealKey;
use audit_store::verify::Options;
use serde_json::{Value, json};
use testkit::workspace;

use super::anchored::{WITNESSES, key, policy};

/// What a verifier is told beside the log.
#[derive(Clone, Default)]
pub struct Demands {
    pub key: Option<VerificationKey>,
    pub seal: Option<SealKey>,
    /// The file of a checkpoint that was kept elsewhere.
    pub copy: Option<PathBuf>,
    /// Whether both witnesses are asked for.
    pub witnesses: bool,
    /// The certificate of the authority whose timestamps are asked for.
    pub authority: Option<PathBuf>,
}

/// What a verifier says.
#[derive(Debug)]
pub struct Said {
    pub verdict: String,
    pub entry: Option<u64>,
    /// How many checkpoints lie beyond the seal, where it was checked.
    pub beyond_seal: Option<u64>,
    #[expect(dead_code, reason = "is printed where a cell is not as expected")]
    pub reason: String,
}

/// What both say of the same log.
pub fn ours(log: &Path, demands: &Demands) -> Said {
    let mut options = Options::new().threads(1);
    if let Some(key) = &demands.key {
        options = options.key(key.clone());
    }
    if let Some(seal) = &demands.seal {
        options = options.seal_key(seal.clone());
    }
    if let Some(copy) = &demands.copy {
        options = options.copy(std::fs::read_to_string(copy).unwrap());
    }
    if demands.witnesses {
        options = options.policy(policy());
    }
    let authority = demands.authority.as_ref().map(OpenSsl::new);
    if let Some(authority) = &authority {
        options = options.timestamps(authority);
    }
    let report = options.verify(log).unwrap();
    Said {
        verdict: report.verdict.to_string(),
        entry: report.finding.as_ref().and_then(|finding| finding.fault.entry),
        beyond_seal: report.assurance.seal.map(|seal| seal.beyond),
        reason: report.finding.map(|finding| finding.to_string()).unwrap_or_default(),
    }
}

/// A Python that runs `docs/verify.py` as often as it is asked to.
pub struct Python {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Python {
    pub fn start() -> Self {
        let mut process = Command::new(workspace().join("tests/fixtures/verify/run"))
            .env("CARGO_TARGET_DIR", target())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, input, output }
    }

    pub fn verify(&mut self, log: &Path, demands: &Demands) -> Said {
        let mut arguments = vec![log.display().to_string()];
        if let Some(key) = &demands.key {
            arguments.extend(["--key".to_owned(), key.to_string()]);
        }
        if let Some(seal) = &demands.seal {
            arguments.extend(["--seal-key".to_owned(), seal.to_text().to_string()]);
        }
        if let Some(copy) = &demands.copy {
            arguments.extend(["--copy".to_owned(), copy.display().to_string()]);
        }
        for witness in WITNESSES.iter().filter(|_| demands.witnesses) {
            arguments.extend(["--witness".to_owned(), key(witness).to_string()]);
        }
        if let Some(authority) = &demands.authority {
            arguments.extend(["--tsa-ca".to_owned(), authority.display().to_string()]);
        }
        let answer = self.ask(&json!(arguments));
        let text = answer["text"].as_str().unwrap();
        let verdict = text.lines().next().unwrap().to_owned();
        let codes = ["intact", "tampered", "unverifiable"];
        assert_eq!(codes[usize::try_from(answer["code"].as_u64().unwrap()).unwrap()], verdict, "{text}");
        let number = |after: &str, until: char| {
            text.split(after).nth(1).and_then(|rest| rest.split(until).next()).and_then(|digits| digits.parse().ok())
        };
        let entry = number("first bad entry: ", '\n');
        Said { verdict, entry, beyond_seal: number("checkpoints, ", ' '), reason: text.to_owned() }
    }

    fn ask(&mut self, arguments: &Value) -> Value {
        writeln!(self.input.as_mut().unwrap(), "{arguments}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.input.take());
        let _status = self.process.wait();
    }
}

/// Where the products of the build are, wherever that is.
fn target() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    binary.ancestors().nth(3).unwrap().to_path_buf()
}
