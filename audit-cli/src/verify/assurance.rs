//! What a verdict rests on, in words.

use audit_store::verify::{Report, Signed};
use serde::Serialize;

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
    if assurance.copies > 0 {
        against.push("copy kept elsewhere");
    }
    if against.is_empty() { "chain only".to_owned() } else { against.join(" + ") }
}

/// Returns what that leaves open.
pub(super) fn meaning(report: &Report) -> String {
    if report.range.is_some() {
        let looked_at = "neither the checkpoint nor any other file was looked at";
        return format!("{looked_at}: the range may have been written anew as a whole");
    }
    let assurance = &report.assurance;
    let is_pinned = matches!(assurance.signed, Signed::Pinned { .. });
    match (is_pinned, assurance.seal.is_some(), assurance.copies > 0) {
        (false, false, false) => "no key was pinned: whoever can write the directory can rewrite it",
        (true, false, false) => "an older state of the whole log, put in its place, does not show",
        (true, true, false) => "an older state of the whole log, put in its place with its seal, does not show",
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
        if self.copies > 0 {
            lines.push(("copies", format!("{} that agree", self.copies)));
        }
    }
}
