//! What `#[derive(Capture)]` says of the members of types, for the whole process.
//!
//! The derive leaves one descriptor for each type in a section of the program that the linker gathers. A value is known by
//! the name that its `Serialize` gives its type, wherever it stands in another one. Two types of one name are not told
//! apart: the rules of both hold for either.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Method;
use crate::call::registry;

/// The rules of one type.
#[derive(Debug)]
pub struct TypeRules {
    /// The name of the type, as its `Serialize` says it.
    pub name: &'static str,
    /// What is done with its members.
    pub members: &'static [MemberRule],
}

/// What is done with one member of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRule {
    /// The variant that has the member, as `Serialize` names it; none in a struct.
    pub variant: Option<&'static str>,
    /// The member.
    pub member: Member,
    /// What is done with it.
    pub act: Act,
    /// What the rule is called in a record, after `type:`: `Customer.name`, `Payment::Card.number`.
    pub rule: &'static str,
}

/// A member of a struct or variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// The one of this name, as `Serialize` names it.
    Name(&'static str),
    /// The one at this place, counted from 0, of a tuple.
    Index(usize),
    /// All there is in a variant or in the struct.
    All,
}

/// What is done with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is removed, and the record says so.
    Remove(Method),
    /// It is left out, as if the type did not have it.
    Skip,
}

/// The rules by the names of types.
static KNOWN: LazyLock<HashMap<&'static str, Vec<MemberRule>>> = LazyLock::new(|| {
    let mut known = HashMap::<_, Vec<MemberRule>>::new();
    for rules in registry::types() {
        known.entry(rules.name).or_default().extend_from_slice(rules.members);
    }
    known
});

/// Returns the rules of all types of this name; most have none.
pub(crate) fn of(name: &str) -> &'static [MemberRule] {
    let known = &*KNOWN;
    if known.is_empty() {
        return &[];
    }
    known.get(name).map(Vec::as_slice).unwrap_or_default()
}

/// Returns how values of the types that have rules show themselves by `Debug`, by the type's name or their variant's, and
/// the name of the type.
pub(crate) fn shown() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.values().flatten().map(MemberRule::shown)
}

impl MemberRule {
    /// Takes the names that the program has, which `Debug` shows whatever serde calls the type, from that of the rule.
    fn shown(&self) -> (&'static str, &'static str) {
        let of = self.rule.split_once('.').map_or(self.rule, |(of, _member)| of);
        of.split_once("::").map_or((of, of), |(name, variant)| (variant, name))
    }
}
