//! What a receiver of OpenTelemetry has of a log, held against it.

use std::path::Path;

use anyhow::Context as _;
use audit_core::verify::Fault;
use audit_export::otlp::{Comparison, Difference, Findings, read_exports};
use audit_store::feed::stream_id;
use audit_store::read::Lines;
use audit_store::verify::{Finding, Options, Report, Verdict};
use serde::Serialize;

use super::Subject;
use crate::arguments::Verify;
use crate::text::entries;

/// What is compared with one log.
pub(super) struct Copy(Comparison);

impl Copy {
    /// Reads what there is of this log; nothing if nothing was to be compared, or this is a log beside the one that is
    /// meant and nothing is of it.
    pub(super) fn read(arguments: &Verify, subject: &Subject) -> anyhow::Result<Option<Self>> {
        let mut received = Vec::new();
        for file in &arguments.against_otlp {
            let text = super::read(file)?;
            received.extend(read_exports(&text).with_context(|| file.display().to_string())?);
        }
        // A log without an entry 0 that can be read has a verdict of its own.
        let stream_id = stream_id(&subject.log).ok().flatten().map(|id| id.to_string()).unwrap_or_default();
        let comparison = Comparison::new(received, &stream_id);
        let is_meant = subject.log == arguments.log || !comparison.is_empty();
        Ok((!arguments.against_otlp.is_empty() && is_meant).then_some(Self(comparison)))
    }

    /// Demands that the log agrees with the checkpoints that the receiver has.
    pub(super) fn demand<'p>(&self, options: Options<'p>) -> Options<'p> {
        self.0.checkpoints().iter().fold(options, |options, note| options.copy(note))
    }

    /// Compares the lines, and puts what differs into the report of a log that verifies.
    pub(super) fn compare(mut self, log: &Path, report: &mut Report) -> anyhow::Result<Findings> {
        let mut lines = Lines::open(log)?;
        while let Some(line) = lines.next_line() {
            // Lines that cannot be read have made the log fail already.
            let Ok(line) = line else { break };
            self.0.line(line.number, line.bytes);
        }
        let findings = self.0.finish();
        if let Some(fault) = fault(&findings)
            && (report.verdict == Verdict::Intact || !fault.unverifiable && report.verdict != Verdict::Tampered)
        {
            report.verdict = if fault.unverifiable { Verdict::Unverifiable } else { Verdict::Tampered };
            report.finding = Some(Finding { file: None, fault });
        }
        Ok(findings)
    }
}

fn fault(findings: &Findings) -> Option<Fault> {
    if let Some(Difference { number, what }) = findings.altered.first() {
        let reason = format!("expected the entry that the receiver has, found another: its {what} differs");
        return Some(Fault::tampered(*number, reason));
    }
    if let Some(last) = findings.beyond.last() {
        let reason =
            format!("expected at least {}, which the receiver has, found {}", entries(last + 1), findings.entries);
        return Some(Fault::tampered(findings.entries, reason));
    }
    if let Some(first) = findings.missing.first() {
        let reason = format!(
            "the receiver has later entries and not these {}, the first of which is {first}: whether they were sent is not known",
            findings.missing.len()
        );
        return Some(Fault::unverifiable(reason));
    }
    (findings.equal == 0).then(|| Fault::unverifiable("the receiver has no entry of this log"))
}

/// The account of a comparison as it is printed.
#[derive(Serialize)]
pub(super) struct Received {
    received: Counts,
}

#[derive(Serialize)]
struct Counts {
    equal: u64,
    altered: usize,
    missing: usize,
    beyond: usize,
    unsent: u64,
    duplicates: u64,
    checkpoints: u64,
}

impl Received {
    pub(super) fn new(findings: &Findings) -> Self {
        Self {
            received: Counts {
                equal: findings.equal,
                altered: findings.altered.len(),
                missing: findings.missing.len(),
                beyond: findings.beyond.len(),
                unsent: findings.unsent,
                duplicates: findings.duplicates,
                checkpoints: findings.checkpoints,
            },
        }
    }

    pub(super) fn line(&self) -> (&'static str, String) {
        let Counts { equal, altered, missing, beyond, unsent, duplicates, checkpoints } = &self.received;
        let mut text = format!("{}, {checkpoints} checkpoints", entries(*equal));
        for (count, what) in [
            (*altered as u64, "altered"),
            (*beyond as u64, "that the log has not"),
            (*missing as u64, "missing"),
            (*unsent, "not there yet"),
            (*duplicates, "twice"),
        ] {
            if count > 0 {
                text.push_str(&format!("; {count} {what}"));
            }
        }
        ("received", text)
    }
}
