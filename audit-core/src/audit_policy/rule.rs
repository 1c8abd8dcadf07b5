//! What a rule matches and what it decides.

use core::fmt;

use super::{About, Glob};
use crate::vocabulary::{Durability, Effect, Level, Stages, Status};

/// A rule of a policy.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// What it is called where records and reports name it.
    pub name: String,
    /// The calls that it is about.
    pub matches: Match,
    /// What it decides.
    pub decision: Decision,
}

/// What a call must have; an empty list asks for nothing. Something that has no tool, effect or tenant does not match
/// where one is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// One of these actions.
    pub actions: Vec<Glob>,
    /// One of these tools.
    pub tools: Vec<Glob>,
    /// One of these effects.
    pub effects: Vec<Effect>,
    /// One of these tenants.
    pub tenants: Vec<Glob>,
    /// One of these outcomes; the rule is then about the record of the end alone.
    pub outcomes: Vec<Status>,
}

impl Match {
    /// Tells whether everything that is asked for is there.
    #[must_use]
    pub fn is_met(&self, about: &About<'_>) -> bool {
        is_one(&self.actions, Some(about.action))
            && is_one(&self.tools, about.tool)
            && is_one(&self.tenants, about.tenant)
            && (self.effects.is_empty() || about.effect.is_some_and(|effect| self.effects.contains(&effect)))
            && (self.outcomes.is_empty() || about.outcome.is_some_and(|status| self.outcomes.contains(&status)))
    }

    /// Tells whether nothing is asked for.
    #[must_use]
    pub const fn is_anything(&self) -> bool {
        self.actions.is_empty()
            && self.tools.is_empty()
            && self.effects.is_empty()
            && self.tenants.is_empty()
            && self.outcomes.is_empty()
    }
}

fn is_one(globs: &[Glob], name: Option<&str>) -> bool {
    globs.is_empty() || name.is_some_and(|name| globs.iter().any(|glob| glob.matches(name)))
}

/// What is decided; what is `None` stays as the attribute or the log has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// How much is recorded.
    pub level: Option<Extent>,
    /// Which records a call leaves. A destructive one leaves two all the same.
    pub stages: Option<Stages>,
    /// What each record must survive, unless the attribute or the log demands more.
    pub durability: Option<Durability>,
    /// What is removed, beside what the attribute and the log remove.
    pub removal: Removal,
    /// How long the records are to be kept: the class's name stands in each of them.
    pub retention: Option<String>,
    /// How large arguments and results may be to stand in the record.
    pub limits: Limits,
}

/// How much of a call is recorded, nothing included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Nothing: the call is counted.
    Nothing,
    /// A record of this level.
    At(Level),
}

impl Extent {
    /// Returns the word that policies have.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::At(level) => level.as_str(),
        }
    }

    /// Returns the value that the word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if word == Self::Nothing.as_str() { Some(Self::Nothing) } else { Level::parse(word).map(Self::At) }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How large arguments and results may be, in bytes of canonical JSON, to stand in the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The arguments; `None` leaves them there as long as the line has room.
    pub arguments_bytes_max: Option<usize>,
    /// The whole result, where the level asks for it.
    pub result_bytes_max: Option<usize>,
    /// What becomes of larger ones.
    pub oversize: Option<Oversize>,
}

impl Limits {
    /// Returns these limits, and for what they do not say the others.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            arguments_bytes_max: self.arguments_bytes_max.or(others.arguments_bytes_max),
            result_bytes_max: self.result_bytes_max.or(others.result_bytes_max),
            oversize: self.oversize.or(others.oversize),
        }
    }
}

/// What becomes of arguments and results that are larger than they may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Oversize {
    /// They are kept whole beside the segments, under their hash.
    #[default]
    Blob,
    /// A summary stands in the record: counts, the first and the last, sizes; and the hash of the whole, which is not kept.
    Summary,
}

impl Oversize {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Blob, Self::Summary];

    /// Returns the word that policies have.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Summary => "summary",
        }
    }
}

/// What is removed from arguments, results and texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// By paths, as in the attribute's `redact`. One that begins with a parameter that a tool does not have says nothing
    /// of that tool.
    pub paths: Vec<Removed>,
    /// By the names of members, at any depth.
    pub names: Vec<Named>,
    /// By patterns of texts, by the pattern's name.
    pub patterns: Vec<Named>,
    /// Whose values those that are sealed are: the first of these paths where there is a scalar. It begins with a
    /// parameter, with `return` or is `context.user`.
    pub subjects: Vec<String>,
}

impl Removal {
    /// Tells whether nothing is removed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.names.is_empty() && self.patterns.is_empty()
    }

    /// Tells whether something is sealed.
    #[must_use]
    pub fn seals(&self) -> bool {
        let ways = self.paths.iter().map(|removed| &removed.way);
        ways.chain(self.names.iter().chain(&self.patterns).map(|named| &named.way))
            .any(|way| matches!(way, Way::Seal(_)))
    }
}

/// What a path addresses is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The path: `customer.ssn`, `return.items[].token`, `error`.
    pub path: String,
    /// How.
    pub way: Way,
}

/// What has a name, or fits the pattern of a name, is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// How.
    pub way: Way,
}

/// How a value is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is left out.
    Drop,
    /// Stars stand in its place, with the last four characters where they are asked for.
    Mask {
        /// True if the last four characters of a long value are to be seen.
        last_four: bool,
    },
    /// A keyed digest stands in its place.
    Token,
    /// A salted digest stands in its place; the value is kept under the key of its subject. The path to the subject, if it
    /// is not the rule's.
    Seal(Option<String>),
}

impl Way {
    /// Returns the word that records have.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Mask { .. } => "mask",
            Self::Token => "token",
            Self::Seal(_) => "seal",
        }
    }
}
