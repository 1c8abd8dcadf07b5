//! Entries as readers see them: the record's view, and the parts that are only shown, as they are stored.

use std::borrow::Cow;

use audit_core::entry::ParseEntryError;
use serde::Deserialize;

use super::json;
use super::record::Record;

/// An entry, borrowed from its line.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its place in the log: how many lines precede it.
    pub number: u64,
    /// The line as it stands, without its line feed: valid JSON, though not necessarily in canonical form.
    pub line: &'a str,
    /// Its record.
    pub record: Record<'a>,
}

impl<'a> Entry<'a> {
    /// Parses a line, given without its line feed.
    ///
    /// # Errors
    /// The line is not UTF-8, not JSON, or lacks a member that every record has.
    pub fn parse(number: u64, line: &'a [u8]) -> Result<Self, ParseEntryError> {
        #[derive(Deserialize)]
        struct RawEntry<'a> {
            #[serde(borrow)]
            record: Record<'a>,
        }
        let line = core::str::from_utf8(line).map_err(|fault| ParseEntryError::new(fault.to_string()))?;
        let raw: RawEntry<'_> = serde_json::from_str(line).map_err(|fault| ParseEntryError::new(fault.to_string()))?;
        Ok(Self { number, line, record: raw.record })
    }

    /// Returns the JSON text, as stored, of the member of the record that the path leads to; `null` is none.
    ///
    /// Of members with equal names the last one counts, as in most JSON parsers.
    #[must_use]
    pub fn member(&self, path: &[&str]) -> Option<&'a str> {
        let record = json::member(self.line, "record")?;
        path.iter().try_fold(record, |object, name| json::member(object, name)).filter(|value| *value != "null")
    }

    /// Returns the arguments of the call as JSON text, or where they are kept.
    #[must_use]
    pub fn arguments(&self) -> Option<Cow<'a, str>> {
        self.member(&["request", "arguments"]).map(Cow::Borrowed).or_else(|| self.kept_at("request"))
    }

    /// Returns the summary of the result as JSON text, else the result itself, or where it is kept.
    #[must_use]
    pub fn result(&self) -> Option<Cow<'a, str>> {
        let stored = self.member(&["response", "summary"]).or_else(|| self.member(&["response", "result"]));
        stored.map(Cow::Borrowed).or_else(|| self.kept_at("response"))
    }

    /// Returns what tells most about the record: why it failed, else the result, else the arguments of a call and what
    /// an event carries.
    #[must_use]
    pub fn detail(&self) -> Option<Cow<'a, str>> {
        let ended = self.record.outcome.explanation().map(Cow::Owned).or_else(|| self.result());
        if self.record.step().is_some() {
            ended.or_else(|| self.arguments()).or_else(|| self.carried())
        } else {
            ended.or_else(|| self.carried()).or_else(|| self.arguments())
        }
    }

    fn carried(&self) -> Option<Cow<'a, str>> {
        CARRIED.iter().find_map(|(name, parts)| {
            let value = self.member(&[name])?;
            Some(json::outline(value, parts).map_or(Cow::Borrowed(value), Cow::Owned))
        })
    }

    fn kept_at(&self, payload: &str) -> Option<Cow<'a, str>> {
        self.member(&[payload, "ref"]).map(|place| Cow::Owned(format!("kept in {place}")))
    }
}

/// What an event may carry, in the order in which a short account of it looks, and the parts worth telling first.
const CARRIED: &[(&str, &[&str])] = &[
    ("approval", &["decision", "approver", "rationale", "id"]),
    ("decision", &["reason_code", "confidence", "rationale"]),
    ("checks", &["name", "decision", "reason"]),
    ("inputs", &["type", "id", "version"]),
    ("changes", &[]),
    ("log", &[]),
    ("artifacts", &[]),
    ("annotations", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::testing::SAMPLES;

    fn sample(number: usize) -> Entry<'static> {
        Entry::parse(number as u64, SAMPLES.lines().nth(number).unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn every_sample_is_read() {
        for (number, line) in SAMPLES.lines().enumerate() {
            let entry = Entry::parse(number as u64, line.as_bytes()).unwrap();
            assert!(entry.record.stage().is_some() && entry.record.outcome.status().is_some(), "entry {number}");
        }
        let refund = sample(9).record;
        assert_eq!(
            (refund.tool(), refund.agent(), refund.user()),
            (Some("refund"), Some("agent:support-7"), Some("usr_98765"))
        );
        assert_eq!(refund.call.as_ref().and_then(|call| call.duration_ns), Some(145_000_000));
        assert_eq!(sample(0).record.agent(), Some("audited"));
    }

    #[test]
    fn a_member_is_returned_as_it_is_stored() {
        let detail = |number| sample(number).detail().unwrap();
        assert_eq!(detail(9), r#"{"refund_id":"RF-9","status":"refunded"}"#);
        assert_eq!(detail(11), "OrderError::Shipped: cannot cancel shipped order");
        assert_eq!(sample(9).arguments(), None);
        assert_eq!(detail(7), r#"decision "granted", approver "usr_boss", rationale "photo attached", id "ap-1""#);
        assert_eq!(detail(4), r#"reason_code "damaged", confidence "0.82""#);
        assert_eq!(detail(3), r#"type "ticket", id "T-77", version "3"; type "prompt", id "triage", version "12""#);
        assert_eq!(detail(17), r#"{"cut_bytes":0,"open_calls":["01a17cbd-e826-77ed-86a8-377b92b49472"]}"#);
        assert_eq!(sample(2).detail(), None);
    }

    #[test]
    fn a_large_integer_is_read_from_its_text() {
        let line = |duration: &str| {
            let record = r#"{"event_name":"e","stage":"s","time":"t","action":"a","outcome":{"status":"success"}"#;
            format!(r#"{{"record":{record},"call":{{"id":"c","duration_ns":{duration}}}}},"sequence":{{}}}}"#)
        };
        let duration = |text: &str| {
            Entry::parse(0, line(text).as_bytes()).map(|entry| entry.record.call.and_then(|call| call.duration_ns))
        };
        assert_eq!(duration("\"9007199254740993\""), Ok(Some(9_007_199_254_740_993)));
        assert_eq!(duration("17"), Ok(Some(17)));
        assert_eq!(duration("null"), Ok(None));
        assert!(duration("-1").is_err());
    }

    #[test]
    fn what_is_no_entry_is_refused_with_a_reason() {
        let refused = |line: &[u8]| Entry::parse(0, line).unwrap_err().to_string();
        assert!(refused(b"{\"record\":{").starts_with("not an entry: EOF while parsing"));
        assert!(refused(b"{\"record\":{\"stage\":\"\x9b\"}}").contains("invalid utf-8"));
        assert!(refused(b"{\"record\":{}}").contains("missing field `event_name`"));
        assert!(refused(b"").contains("EOF"));
    }
}
