//! How far a verification is, told on the standard error.

use core::time::Duration;
use std::io::IsTerminal as _;
use std::time::Instant;

use audit_store::verify::Progress;

use crate::arguments::Verify;
use crate::output::Output;
use crate::text::identifier;

/// How often a line is written; what is done sooner writes none.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn is_wanted(arguments: &Verify) -> bool {
    arguments.progress || std::io::stderr().is_terminal()
}

/// What was told so far.
pub(super) struct Telling {
    /// What each line begins with.
    prefix: String,
    begun: Instant,
    told: Instant,
}

impl Telling {
    /// Begins to tell of a log, which has a name where there are several.
    pub(super) fn of(name: Option<&str>) -> Self {
        let now = Instant::now();
        let prefix = name.map(|name| format!("{}: ", identifier(name))).unwrap_or_default();
        Self { prefix, begun: now, told: now }
    }

    pub(super) fn tell(&mut self, progress: &Progress, output: &mut Output<'_>) {
        if self.told.elapsed() < INTERVAL {
            return;
        }
        self.told = Instant::now();
        let Progress { entries, bytes, bytes_total } = *progress;
        let percent = u128::from(bytes) * 100 / u128::from(bytes_total.max(1));
        let megabytes = bytes / 1_000_000;
        let prefix = &self.prefix;
        output.warn(&format!("{prefix}{} % verified, {megabytes} MB, up to entry {entries}", percent.min(100)));
    }

    /// Tells the end, which somebody who asked for progress waits for.
    pub(super) fn conclude(&self, output: &mut Output<'_>) {
        output.warn(&format!("{}verified in {} s", self.prefix, self.begun.elapsed().as_secs()));
    }
}
