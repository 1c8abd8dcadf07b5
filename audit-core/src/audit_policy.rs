//! The audit policy: how much of which call is recorded, and what is removed from it.
//!
//! Rules stand in an order, and the first that matches decides alone, as in the audit policies of Kubernetes; what it does
//! not say stays as the attribute has it. This module decides. What reads a policy from a file is the store's.
//!
//! How a rule and the attribute of a site combine: the rule decides the level and the stages, be they more or less than
//! the attribute's; of the durabilities the stronger counts; what either of them removes is removed. Two things no rule
//! changes: the intent of a destructive call is recorded before its body runs, and `none` is `metadata` for it.
//!
//! ```
//! use audit_core::audit_policy::{About, AuditPolicy, Decision, Extent, Glob, Match, Parts, Rule, Written};
//! use audit_core::vocabulary::Effect;
//!
//! let quiet = Rule {
//!     name: "reads".to_owned(),
//!     matches: Match { effects: vec![Effect::Read], actions: vec![Glob::new("order.*")], ..Match::default() },
//!     decision: Decision { level: Some(Extent::Nothing), ..Decision::default() },
//! };
//! let policy = AuditPolicy::new(Parts { rules: vec![quiet], ..Parts::default() }).unwrap();
//! let about = About { action: "order.find", tool: Some("find"), effect: Some(Effect::Read), ..About::default() };
//! let ruling = policy.ruling(&about, Written::default());
//! assert_eq!((ruling.rule.name.as_str(), ruling.extent), ("reads", Extent::Nothing));
//! ```

mod check;
mod course;
mod dry;
mod glob;
mod rule;

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::hash::Hash;
use crate::privacy::Privacy;
use crate::vocabulary::{Durability, Effect, Level, Stages, Status};

pub use check::PolicyFault;
pub use course::Course;
pub use dry::{Recorded, WouldRemove, would_remove};
pub use glob::Glob;
pub use rule::{Decision, Extent, Limits, Match, Named, Oversize, Removal, Removed, Rule, Way};

/// The name of the rule that decides where no other matches.
pub const DEFAULT: &str = "default";

/// The name of what is removed whatever rule decides.
pub const REDACTION: &str = "redaction";

/// What a policy is made of.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// The hash of the text that it was read from; none for one that was put together by a program.
    pub hash: Option<Hash>,
    /// The rules, the first that matches first.
    pub rules: Vec<Rule>,
    /// What is decided where none of them matches.
    pub default: Decision,
    /// What is removed beside what a rule says, whichever it is.
    pub redaction: Removal,
}

/// A policy that was checked. It does not change; another one takes its place.
#[derive(Debug)]
pub struct AuditPolicy {
    serial: u64,
    hash: Option<Hash>,
    /// The last one is the default, which matches everything.
    rules: Vec<Rule>,
    redaction: Removal,
    /// How many calls each rule left unrecorded, and nobody has taken account of.
    unrecorded: Vec<AtomicU64>,
    asks_for_tenant: bool,
    asks_for_outcome: bool,
    /// The names and patterns that were put together for calls so far.
    privacies: Mutex<HashMap<Vec<usize>, Option<Arc<Privacy>>>>,
}

/// What a rule is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// What is done.
    pub action: &'a str,
    /// The tool; an event has none.
    pub tool: Option<&'a str>,
    /// What the tool does to the world; an event has none.
    pub effect: Option<Effect>,
    /// The tenant for whom the agent acts.
    pub tenant: Option<&'a str>,
    /// How the call ended; none before it did.
    pub outcome: Option<Status>,
}

/// What the attribute of a site says, which a rule may say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// How much is recorded.
    pub level: Level,
    /// Which records a call leaves.
    pub stages: Stages,
    /// What each record must survive.
    pub durability: Option<Durability>,
}

impl Default for Written {
    fn default() -> Self {
        Self { level: Level::Request, stages: Stages::StartedCompleted, durability: None }
    }
}

/// What becomes of a call: the rule that matched, and what it and the attribute come to.
#[derive(Clone, Copy, Debug)]
pub struct Ruling<'p> {
    /// The rule that decided.
    pub rule: &'p Rule,
    /// Its place among the rules; the default comes last.
    pub index: usize,
    /// How much is recorded.
    pub extent: Extent,
    /// Which records the call leaves.
    pub stages: Stages,
    /// What each record must survive; `None` leaves it to the log.
    pub durability: Option<Durability>,
}

impl AuditPolicy {
    /// Checks the parts and makes a policy of them.
    ///
    /// # Errors
    /// The first thing that cannot be as it is, and where it stands.
    pub fn new(parts: Parts) -> Result<Self, PolicyFault> {
        static SERIALS: AtomicU64 = AtomicU64::new(1);
        check::check(&parts)?;
        let Parts { hash, mut rules, default, redaction } = parts;
        rules.push(Rule { name: DEFAULT.to_owned(), matches: Match::default(), decision: default });
        Ok(Self {
            serial: SERIALS.fetch_add(1, Ordering::Relaxed),
            hash,
            unrecorded: rules.iter().map(|_| AtomicU64::new(0)).collect(),
            asks_for_tenant: rules.iter().any(|rule| !rule.matches.tenants.is_empty()),
            asks_for_outcome: rules.iter().any(|rule| !rule.matches.outcomes.is_empty()),
            rules,
            redaction,
            privacies: Mutex::default(),
        })
    }

    /// Sets the limits of arguments and results for the rules that say nothing of them.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        for rule in &mut self.rules {
            rule.decision.limits = rule.decision.limits.or(limits);
        }
        self
    }

    /// Returns the number of this policy: no other one of the process has it. It is never 0.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns the hash of the text that the policy was read from.
    #[must_use]
    pub const fn hash(&self) -> Option<Hash> {
        self.hash
    }

    /// Returns the rules in their order, the default last.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns what is removed whichever rule decides.
    #[must_use]
    pub const fn redaction(&self) -> &Removal {
        &self.redaction
    }

    /// Tells whether a rule asks for the tenant.
    #[must_use]
    pub const fn asks_for_tenant(&self) -> bool {
        self.asks_for_tenant
    }

    /// Tells whether a rule asks how the call ended.
    #[must_use]
    pub const fn asks_for_outcome(&self) -> bool {
        self.asks_for_outcome
    }

    /// Decides about a call, or about the record of its end if `about` says how it ended.
    #[must_use]
    pub fn ruling(&self, about: &About<'_>, written: Written) -> Ruling<'_> {
        let (index, rule) = self.first(about);
        let Decision { level, stages, durability, .. } = &rule.decision;
        let is_destructive = about.effect == Some(Effect::Destructive);
        let extent = match level.unwrap_or(Extent::At(written.level)) {
            Extent::Nothing if is_destructive => Extent::At(Level::Metadata),
            extent => extent,
        };
        let stages = if is_destructive { Stages::StartedCompleted } else { stages.unwrap_or(written.stages) };
        Ruling { rule, index, extent, stages, durability: written.durability.max(*durability) }
    }

    fn first(&self, about: &About<'_>) -> (usize, &Rule) {
        let found = self.rules.iter().enumerate().find(|(_, rule)| rule.matches.is_met(about));
        // The last one matches everything.
        found.unwrap_or_else(|| unreachable!("the default is among the rules"))
    }

    /// Returns the names and patterns that hold under the rules of these places, made once.
    pub(crate) fn privacy(
        &self,
        places: &[usize],
        make: impl FnOnce() -> Option<Arc<Privacy>>,
    ) -> Option<Arc<Privacy>> {
        let mut privacies = self.privacies.lock().unwrap_or_else(PoisonError::into_inner);
        privacies.entry(places.to_vec()).or_insert_with(make).clone()
    }

    /// Counts a call that the rule of this place left unrecorded.
    pub fn note_unrecorded(&self, index: usize) {
        if let Some(count) = self.unrecorded.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many calls each rule left unrecorded that nobody has taken account of; rules without any are left out.
    #[must_use]
    pub fn unrecorded(&self) -> Vec<(String, u64)> {
        self.counted(|count| count.load(Ordering::Relaxed))
    }

    /// Returns what [`unrecorded`](Self::unrecorded) does, to someone who takes account of it.
    #[must_use]
    pub fn take_unrecorded(&self) -> Vec<(String, u64)> {
        self.counted(|count| count.swap(0, Ordering::Relaxed))
    }

    /// Puts back what was taken and could not be accounted for.
    pub fn put_back_unrecorded(&self, counted: &[(String, u64)]) {
        for (name, number) in counted {
            let place = self.rules.iter().position(|rule| rule.name == *name);
            if let Some(count) = place.and_then(|place| self.unrecorded.get(place)) {
                count.fetch_add(*number, Ordering::Relaxed);
            }
        }
    }

    fn counted(&self, count: impl Fn(&AtomicU64) -> u64) -> Vec<(String, u64)> {
        let counted =
            self.rules.iter().zip(&self.unrecorded).map(|(rule, counter)| (rule.name.clone(), count(counter)));
        counted.filter(|(_, count)| *count > 0).collect()
    }
}

impl fmt::Display for AuditPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hash {
            Some(hash) => write!(f, "policy sha-256:{hash}"),
            None => f.write_str("policy of the program"),
        }
    }
}

#[cfg(test)]
mod tests;
