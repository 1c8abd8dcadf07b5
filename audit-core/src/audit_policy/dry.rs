//! What a policy would have removed from values that are in a log already.

use std::sync::Arc;

use serde_json::Value;

use super::AuditPolicy;
use crate::call::Site;
use crate::canonical::Canonical;
use crate::capture::{Capture as _, Probe};
use crate::policed::Removals;
use crate::privacy::{CallRules, Privacy, Protect, ProtectError, Sealed, Sealing, Token};
use crate::redact::{Root, Rules};
use crate::vocabulary::Effect;

/// Something that would have been removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldRemove {
    /// Where it stands, a JSON Pointer from the record's root.
    pub path: String,
    /// By which rule, as records have it: `policy:refunds/customer.ssn`.
    pub rule: String,
    /// In which way; with keys at hand, where it needs them.
    pub method: &'static str,
}

/// The values that a record has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recorded<'a> {
    /// The arguments.
    pub arguments: Option<&'a Value>,
    /// The result, whole.
    pub result: Option<&'a Value>,
    /// The result as its summary has it.
    pub summary: Option<&'a Value>,
}

/// Finds what the rules of these places, and what the policy removes whatever rule decides, would have removed. What the
/// log itself and attributes remove is left out.
#[must_use]
pub fn would_remove(policy: &AuditPolicy, rules: &[usize], recorded: Recorded<'_>) -> Vec<WouldRemove> {
    let log = Privacy::builder().protect(Arc::new(Pretended)).build();
    let removals = Removals::of(policy, rules, &SITE, Some(Arc::new(log.clone())));
    let privacy = removals.rules.privacy.unwrap_or_else(|| Arc::new(log));
    let rules = Rules::default().with(CallRules { privacy: Some(privacy), ..removals.rules });
    let mut found = Vec::new();
    for (value, place, root) in [
        (recorded.arguments, ("/request/arguments", "arguments"), Root::Parameter(0)),
        (recorded.result, ("/response/result", "result"), Root::Return),
        (recorded.summary, ("/response/summary", "summary"), Root::Return),
    ] {
        let Some(value) = value else { continue };
        let captured = (&&&&Probe(value)).captured();
        let mut canonical = Canonical::redacting(rules.clone());
        canonical.find_subjects(&|from| (from == root).then_some(&captured));
        let _withheld = captured.write(&mut canonical, place, Some(root));
        let (_, redactions, _) = canonical.into_parts();
        found.extend(redactions.into_iter().filter_map(|redaction| {
            let rule = redaction.removal.rule.to_string();
            let method = redaction.removal.method;
            rule.starts_with("policy:").then_some(WouldRemove { path: redaction.path, rule, method })
        }));
    }
    found
}

/// What a record says of a call is what a call without the attribute would: its arguments are one object.
static SITE: Site = Site::undescribed(Effect::Write);

/// Keys that there are not: what is made with them is thrown away.
#[derive(Debug)]
struct Pretended;

impl Protect for Pretended {
    fn token(&self, _tenant: Option<&str>, _scalar: &[u8]) -> Result<Token, ProtectError> {
        Ok(Token { text: String::new(), key_id: String::new() })
    }

    fn seal(&self, _sealing: &Sealing<'_>) -> Result<Sealed, ProtectError> {
        Ok(Sealed { digest: String::new(), key_id: String::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Parts, Removal, Removed, Way};
    use super::*;

    #[test]
    fn what_is_not_there_is_not_removed() {
        let removed = |path: &str, way| Removed { path: path.to_owned(), way };
        let paths =
            vec![removed("reason", Way::Drop), removed("order_id?", Way::Token), removed("return.id?", Way::Token)];
        let redaction = Removal { paths, ..Removal::default() };
        let policy = AuditPolicy::new(Parts { redaction, ..Parts::default() }).unwrap();
        let check = |arguments: Value, summary: Value, expected: &[&str]| {
            let recorded = Recorded { arguments: Some(&arguments), summary: Some(&summary), ..Recorded::default() };
            let found = would_remove(&policy, &[0], recorded);
            let found: Vec<String> =
                found.into_iter().map(|would| format!("{} {} {}", would.path, would.method, would.rule)).collect();
            assert_eq!(found, expected);
        };
        check(serde_json::json!({"amount": 3}), serde_json::json!({"status": "refunded"}), &[]);
        check(
            serde_json::json!({"amount": 3, "order_id": "O-7", "reason": "late"}),
            serde_json::json!({"id": 7}),
            &[
                "/request/arguments/order_id token policy:redaction/order_id?",
                "/request/arguments/reason drop policy:redaction/reason",
                "/response/summary/id token policy:redaction/return.id?",
            ],
        );
    }
}
