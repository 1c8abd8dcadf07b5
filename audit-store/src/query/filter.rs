//! Which entries a question is about.

use core::fmt;

use audit_core::vocabulary::{Stage, Status};

use super::record::Record;

/// What an entry must have; what is `None` is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The action.
    pub action: Option<Pattern>,
    /// The tool; a record without a tool does not match.
    pub tool: Option<Pattern>,
    /// How it ended. A `started` record has no outcome yet and never matches.
    pub outcome: Option<Status>,
    /// The run.
    pub run: Option<String>,
    /// The conversation.
    pub conversation: Option<String>,
}

impl Filter {
    /// Tells whether the record has everything that is asked for.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        let correlation = &record.correlation;
        self.action.as_ref().is_none_or(|pattern| pattern.matches(&record.action))
            && self.tool.as_ref().is_none_or(|pattern| record.tool().is_some_and(|tool| pattern.matches(tool)))
            && self
                .outcome
                .is_none_or(|status| record.outcome.status() == Some(status) && record.stage() != Some(Stage::Started))
            && self.run.as_deref().is_none_or(|run| correlation.run_id.as_deref() == Some(run))
            && self.conversation.as_deref().is_none_or(|id| correlation.conversation_id.as_deref() == Some(id))
    }
}

/// A name, or with a `*` at its end every name that begins so: `order.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    is_prefix: bool,
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// A `*` stands elsewhere than at the end.
    pub fn parse(text: &str) -> Result<Self, ParsePatternError> {
        let (prefix, is_prefix) = text.strip_suffix('*').map_or((text, false), |prefix| (prefix, true));
        if prefix.contains('*') {
            return Err(ParsePatternError(()));
        }
        Ok(Self { text: prefix.to_owned(), is_prefix })
    }

    /// Tells whether the name is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.is_prefix { name.starts_with(&self.text) } else { name == self.text }
    }
}

/// The text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsePatternError(());

impl fmt::Display for ParsePatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a name with at most one `*`, at its end")
    }
}

impl std::error::Error for ParsePatternError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::testing::{SAMPLES, entries};

    fn check(filter: Filter, expect: &[u64]) {
        let found: Vec<u64> =
            entries(SAMPLES).filter(|entry| filter.matches(&entry.record)).map(|entry| entry.number).collect();
        assert_eq!(found, expect, "{filter:?}");
    }

    fn pattern(text: &str) -> Option<Pattern> {
        Some(Pattern::parse(text).unwrap())
    }

    #[test]
    fn a_name_matches_whole_and_a_star_matches_any_rest() {
        check(Filter { action: pattern("order.refund"), ..Filter::default() }, &[4, 5, 6, 7, 8, 9]);
        check(Filter { action: pattern("order"), ..Filter::default() }, &[]);
        check(Filter { action: pattern("order.s*"), ..Filter::default() }, &[10, 11, 15, 16, 18]);
        check(Filter { tool: pattern("sync"), ..Filter::default() }, &[15, 16, 18]);
        check(Filter { tool: pattern("*"), ..Filter::default() }, &[4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18]);
    }

    #[test]
    fn a_started_record_has_no_outcome() {
        let outcome = |status| Filter { tool: pattern("*"), outcome: Some(status), ..Filter::default() };
        check(outcome(Status::Success), &[9, 14]);
        check(outcome(Status::Failure), &[11, 13, 16]);
        check(outcome(Status::Partial), &[12]);
        check(outcome(Status::Unknown), &[4, 15, 18]);
    }

    #[test]
    fn several_filters_must_all_hold() {
        let run = |run: &str| Some(run.to_owned());
        let base = Filter { tool: pattern("sync"), run: run("run_01HZX"), ..Filter::default() };
        check(base.clone(), &[15, 16, 18]);
        check(Filter { outcome: Some(Status::Failure), ..base.clone() }, &[16]);
        check(Filter { conversation: Some("conv_other".into()), ..base.clone() }, &[]);
        check(Filter { run: run("run_01HZ"), ..base }, &[]);
    }

    #[test]
    fn a_star_stands_at_the_end_only() {
        assert!(Pattern::parse("*.refund").is_err());
        assert!(Pattern::parse("order.**").is_err());
    }
}
