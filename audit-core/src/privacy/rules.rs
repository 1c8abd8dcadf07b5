//! What one log removes beside what attributes and types say.

use std::sync::{Arc, LazyLock};

use super::{Method, Pattern, Protect, Subject};
use crate::redact::Path;
use crate::redact::names::Names;
use crate::redact::pattern::Patterns;
use crate::redact::rule::Rule;

/// What one log removes from every value and text, beside what attributes and types say: members by their names, and what
/// looks like a secret. By default all of it is dropped.
///
/// ```
/// use audit_core::privacy::{Method, Pattern, Privacy};
///
/// let privacy = Privacy::builder()
///     .name("iban", Method::Drop)
///     .name("card_number", Method::Mask { last_four: true })
///     .except("pin")
///     .pattern(Pattern::UsSsn, Method::Drop)
///     .build();
/// # let _ = privacy;
/// ```
#[derive(Clone, Debug)]
pub struct Privacy {
    pub(crate) names: Names,
    pub(crate) patterns: Patterns,
    /// What is done with keys of maps that look like data.
    pub(crate) map_keys: Option<Method>,
    pub(crate) protect: Option<Arc<dyn Protect>>,
    /// True if a name seals for a member that stands beside.
    pub(crate) seals_beside: bool,
}

static DEFAULT: LazyLock<Arc<Privacy>> = LazyLock::new(Arc::default);

impl Default for Privacy {
    fn default() -> Self {
        let (names, patterns) = (Names::default(), Patterns::default());
        Self { names, patterns, map_keys: None, protect: None, seals_beside: false }
    }
}

impl Privacy {
    /// Starts from the default names and patterns.
    pub fn builder() -> Builder {
        Self::default().to_builder()
    }

    /// Starts from these rules.
    pub fn to_builder(&self) -> Builder {
        Builder { privacy: self.clone(), label: None }
    }

    /// Returns the default rules.
    pub(crate) fn shared() -> Arc<Self> {
        Arc::clone(&DEFAULT)
    }
}

/// Puts rules together.
#[derive(Clone, Debug)]
#[must_use = "rules are at work once they are built and given to a log"]
pub struct Builder {
    privacy: Privacy,
    /// What the rules that are added are called by: `policy:refunds/`.
    label: Option<String>,
}

impl Builder {
    /// Removes the members of this name, wherever they stand: consecutive words of it, whatever their case and separators, in
    /// the singular and the plural. One that is on the list already is removed in this way from now on.
    pub fn name(mut self, name: &str, method: Method) -> Self {
        let rule = self.rule("name:", name);
        self.privacy.seals_beside |= matches!(method, Method::Seal(Subject::Beside(_)));
        self.privacy.names.add(name, rule, method);
        self
    }

    /// Takes a name off the list. One that is not on it is a whole name that is not removed, whatever it is made of:
    /// `page_token` stays, and `token` is removed.
    pub fn except(mut self, name: &str) -> Self {
        self.privacy.names.except(name);
        self
    }

    /// Removes what looks like this from every text. What stands in the middle of a text cannot be sealed: it is dropped.
    pub fn pattern(mut self, pattern: Pattern, method: Method) -> Self {
        self.privacy.patterns.set(pattern, Some(method), self.label.as_deref());
        self
    }

    /// Leaves what looks like this alone.
    pub fn without_pattern(mut self, pattern: Pattern) -> Self {
        self.privacy.patterns.set(pattern, None, None);
        self
    }

    /// Removes the keys of maps that look like data: those made of more than letters, `_` and `-`. A token stands in the
    /// key's place, or `****1` and so on if it is masked; with any other method the member is left out with its key.
    pub const fn map_keys(mut self, method: Method) -> Self {
        self.privacy.map_keys = Some(method);
        self
    }

    /// Sets who makes tokens of values and seals them. Without one, what is to be is dropped.
    pub fn protect(mut self, protect: Arc<dyn Protect>) -> Self {
        self.privacy.protect = Some(protect);
        self
    }

    /// Takes all names and patterns off, the default ones too.
    pub fn without_rules(mut self) -> Self {
        self.privacy.names = Names::none();
        self.privacy.patterns = Patterns::none();
        self.privacy.map_keys = None;
        self
    }

    /// Says what the rules that are added from here on are called in records, in the place of `name` and `pattern`:
    /// `policy:refunds` calls them `policy:refunds/iban`.
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = Some(format!("{label}/"));
        self
    }

    /// Returns the rules.
    #[must_use]
    pub fn build(self) -> Privacy {
        self.privacy
    }

    fn rule(&self, kind: &str, name: &str) -> Rule {
        Rule::called(&format!("{}{name}", self.label.as_deref().unwrap_or(kind)))
    }
}

/// What is removed from one call beside what its attribute says: what a policy decided for it.
#[derive(Clone, Debug, Default)]
pub struct CallRules {
    /// Further paths, whose roots are the call's own parameters. Their text is the rule of the policy and the path as
    /// written, `refunds/customer.ssn`; in records `policy:` stands before it.
    pub paths: &'static [Path],
    /// The names and patterns, in the place of those of the log.
    pub privacy: Option<Arc<Privacy>>,
}
