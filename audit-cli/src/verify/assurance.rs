//! What a verdict rests on, in words.

use core::time::Duration;

use audit_core::time::Time;
use audit_store::verify::{Report, Signed, Stamped as Verified};
use serde::Serialize;

use crate::text::{entries, instant};

/// Returns what the log was checked against, each in a word or two.
pub(super) fn level(report: &Report) -> String {
    if report.range.is_some() {
        return "chain of the range only".to_owned();
    }
    let assurance = &report.assurance;
    let mut against = Vec::new();
    if matches!(assurance.signed, Signed::Pinned { .. }) {
        against.push("pinned key");
    }
    if assurance.seal.is_some() {
        against.push("seal");
    }
    if assurance.witnessed.is_some() {
        against.push("witnesses");
    }
    if verified(report).is_some() {
        against.push("timestamps");
    }
    if assurance.copies > 0 {
        against.push("copy kept elsewhere");
    }
    if against.is_empty() { "chain only".to_owned() } else { against.join(" + ") }
}

fn verified(report: &Report) -> Option<Verified> {
    report.assurance.timestamps.and_then(|timestamps| timestamps.verified)
}

/// Returns what that leaves open.
pub(super) fn meaning(report: &Report) -> String {
    if report.range.is_some() {
        let looked_at = "neither the checkpoint nor any other file was looked at";
        return format!("{looked_at}: the range may have been written anew as a whole");
    }
    let assurance = &report.assurance;
    let is_pinned = matches!(assurance.signed, Signed::Pinned { .. });
    if let Some(witnessed) = &assurance.witnessed {
        let size = witnessed.size;
        return match report.summary.entries.saturating_sub(size) {
            0 => format!("a quorum of witnesses saw all {}: nothing was changed or cut since", entries(size)),
            _ => format!(
                "a quorum of witnesses saw the first {}, which were not changed or cut since; what came after them is not \
                 witnessed",
                entries(size)
            ),
        };
    }
    if let Some(Verified { size, time: Some(time), .. }) = verified(report)
        && assurance.copies == 0
    {
        let whose = if is_pinned { "" } else { "; no key was pinned: it may be a log that somebody else made by then" };
        return format!(
            "the first {} are as they were at {}; of what came after them an older state does not show{whose}",
            entries(size),
            instant(&time.to_string())
        );
    }
    match (is_pinned, assurance.seal.is_some(), assurance.copies > 0) {
        (false, false, false) => "no key was pinned: whoever can write the directory can rewrite it",
        (true, false, false) => "an older state of the whole log, also with other entries after its last checkpoint, does not show",
        (true, true, false) => "an older state of the whole log, put in its place with its seal, does not show, nor what follows its last checkpoint",
        (false, true, false) => "no key was pinned: whoever had the seal from the beginning can rewrite the log",
        (false, _, true) => "no key was pinned: what came after the copy can be rewritten",
        (true, _, true) => "nothing before the copy was changed; of what came after it an older state does not show",
    }
    .to_owned()
}

/// What beside the chain was checked, in numbers.
#[derive(Serialize)]
pub(super) struct RestsOn {
    /// `none`, `unpinned` or `pinned`.
    signatures: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoints_signed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epochs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoints_sealed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoints_unsealed: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    copies: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    witnessed: Option<SeenBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamps: Option<Stamped>,
}

/// What a quorum of witnesses saw.
#[derive(Serialize)]
struct SeenBy {
    size: u64,
    /// When a quorum had seen it, by the witnesses' own clocks.
    time: String,
    witnesses: Vec<String>,
}

/// The timestamps that lie beside the log.
#[derive(Serialize)]
struct Stamped {
    count: usize,
    newest_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<VerifiedOnes>,
}

/// Those of the authority that was given.
#[derive(Serialize)]
struct VerifiedOnes {
    count: usize,
    newest_size: u64,
    /// When the newest of these checkpoints was timestamped, by the authority's clock.
    newest_time: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl RestsOn {
    /// None where the log was not read to its end.
    pub(super) fn new(report: &Report) -> Option<Self> {
        let assurance = &report.assurance;
        let (signatures, key, checkpoints_signed, epochs) = match &assurance.signed {
            Signed::No => ("none", None, None, None),
            Signed::BySelf { checkpoints, epochs } => {
                let first = report.keys.first.as_ref().map(ToString::to_string);
                ("unpinned", first, Some(*checkpoints), Some(*epochs))
            }
            Signed::Pinned { key, checkpoints, epochs } => {
                ("pinned", Some(key.to_string()), Some(*checkpoints), Some(*epochs))
            }
        };
        report.root.map(|_| Self {
            signatures,
            key,
            checkpoints_signed,
            epochs,
            checkpoints_sealed: assurance.seal.map(|seal| seal.checkpoints),
            checkpoints_unsealed: assurance.seal.map(|seal| seal.beyond),
            copies: assurance.copies,
            witnessed: assurance.witnessed.as_ref().map(|witnessed| SeenBy {
                size: witnessed.size,
                time: Time::from_unix(Duration::from_secs(witnessed.time)).to_string(),
                witnesses: witnessed.witnesses.clone(),
            }),
            timestamps: assurance.timestamps.map(|timestamps| Stamped {
                count: timestamps.count,
                newest_size: timestamps.size,
                verified: timestamps.verified.map(|Verified { count, size, time }| VerifiedOnes {
                    count,
                    newest_size: size,
                    newest_time: time.map(|time| time.to_string()),
                }),
            }),
        })
    }

    /// Returns how the newest checkpoint is signed, to stand before what it says.
    pub(super) fn signed(&self) -> &'static str {
        if self.key.is_some() { "signed, " } else { "unsigned, " }
    }

    pub(super) fn add_lines(&self, lines: &mut Vec<(&'static str, String)>) {
        if let (Some(key), Some(checkpoints), Some(epochs)) = (&self.key, self.checkpoints_signed, self.epochs) {
            lines.push(("key", format!("{key}, {}", self.signatures)));
            lines.push(("signatures", format!("{checkpoints} checkpoints by the keys of {epochs} epochs")));
        }
        if let (Some(sealed), Some(beyond)) = (self.checkpoints_sealed, self.checkpoints_unsealed) {
            lines.push(("seal", format!("{sealed} checkpoints; {beyond} beyond it")));
        }
        if let Some(SeenBy { size, time, witnesses }) = &self.witnessed {
            let seen = format!("{} by {}, {} by their clocks", entries(*size), witnesses.join(", "), instant(time));
            lines.push(("witnessed", seen));
        }
        if let Some(timestamps) = &self.timestamps {
            lines.push(("timestamps", timestamps.line()));
        }
        if self.copies > 0 {
            lines.push(("copies", format!("{} that agree", self.copies)));
        }
    }
}

impl Stamped {
    fn line(&self) -> String {
        let Self { count, newest_size, verified } = self;
        let Some(VerifiedOnes { count: verified, newest_size, newest_time }) = verified else {
            let newest = entries(*newest_size);
            return format!("{count} kept, the newest for {newest}; --timestamps-ca verifies whose they are");
        };
        let time = newest_time.as_ref().map_or("a time that cannot be told".to_owned(), |time| instant(time));
        format!(
            "{verified} of {count} verified, the newest for {}, {time} by the authority's clock",
            entries(*newest_size)
        )
    }
}
