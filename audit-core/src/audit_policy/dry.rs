//! What a policy would have removed from values that are in a log already.

use serde_json::Value;

use super::AuditPolicy;

/// Something that would have been removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldRemove {
    /// Where it stands, a JSON Pointer from the record's root.
    pub path: String,
    /// By which rule, as records have it: `policy:refunds/customer.ssn`.
    pub rule: String,
    /// In which way.
    pub method: &'static str,
}

/// Finds what the rules of these places, and what the policy removes whatever rule decides, would have removed.
#[must_use]
pub fn would_remove(
    policy: &AuditPolicy,
    rules: &[usize],
    arguments: Option<&Value>,
    result: Option<&Value>,
) -> Vec<WouldRemove> {
    let _todo = (policy, rules, arguments, result);
    Vec::new()
}
