//! What is removed from one call: by its attribute, a policy and the log, and with whose keys.

use std::sync::Arc;

use super::named::first_told;
use super::pattern::{self, Match, Patterns};
use super::rule::Rule;
use super::secrets::{REMOVED, Scrubbed, Secrets};
use super::{Path, Removal};
use crate::canonical::write_string;
use crate::context::{Ambient, Fields};
use crate::port::AuditPort;
use crate::privacy::{CallRules, Method, Pattern, Privacy, ProtectError, Sealed, Sealing, Subject, Token};

/// What stands in the place of a value that is masked.
pub(crate) const MASK: &str = "****";

/// How long a value is at least whose last four characters are shown, where that is asked for.
const LAST_FOUR_CHARACTERS_MIN: usize = 12;

/// What is removed from one call.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) privacy: Arc<Privacy>,
    /// The paths of the attribute, and behind them those of the policy: an index goes through both.
    attribute: &'static [Path],
    policy: &'static [Path],
    context: Option<Arc<Fields>>,
    /// Whose values they are that paths seal, as the arguments say: the index of the path, and the subject.
    subjects: Vec<(usize, String)>,
    /// Set where what is written is thrown away: then nothing is worth a key.
    drops_all: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(Privacy::shared(), None)
    }
}

impl Rules {
    fn new(privacy: Arc<Privacy>, context: Option<Arc<Fields>>) -> Self {
        Self { privacy, attribute: &[], policy: &[], context, subjects: Vec::new(), drops_all: false }
    }

    /// Returns the rules that are at work at a place: those of the log, for whom the agent acts there.
    pub(crate) fn of(port: &AuditPort, ambient: &Ambient) -> Self {
        Self::new(port.privacy(), ambient.fields().cloned())
    }

    /// Returns the rules of a call, without what a policy says: that is added [once it has decided](Self::with).
    pub(crate) fn of_call(port: &AuditPort, ambient: &Ambient, attribute: &'static [Path]) -> Self {
        Self::new(port.log_privacy(), ambient.fields().cloned()).along(attribute)
    }

    /// Returns the rules that are at work here, if a log is open, or the default ones.
    pub(crate) fn here() -> Self {
        let port = AuditPort::find();
        let ambient = Ambient::current_with(port.as_ref());
        Self::new(port.map_or_else(Privacy::shared, |port| port.privacy()), ambient.fields().cloned())
    }

    /// Adds the paths of an attribute.
    pub(crate) fn along(self, attribute: &'static [Path]) -> Self {
        Self { attribute, ..self }
    }

    /// Adds what a policy says.
    pub(crate) fn with(mut self, rules: CallRules) -> Self {
        self.policy = rules.paths;
        if let Some(privacy) = rules.privacy {
            self.privacy = privacy;
        }
        self
    }

    /// Returns the same rules without keys, for what is only looked at.
    pub(crate) fn dropping(&self) -> Self {
        Self { drops_all: true, ..self.clone() }
    }

    pub(crate) fn path(&self, index: usize) -> Option<&'static Path> {
        self.attribute.get(index).or_else(|| self.policy.get(index.checked_sub(self.attribute.len())?))
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = (usize, &'static Path)> + Clone + use<> {
        self.attribute.iter().chain(self.policy).enumerate()
    }

    pub(crate) const fn has_paths(&self) -> bool {
        !self.attribute.is_empty() || !self.policy.is_empty()
    }

    pub(crate) fn path_rule(&self, index: usize) -> Rule {
        match self.path(index) {
            Some(path) if index < self.attribute.len() => Rule::path(path.text),
            Some(path) => Rule::policy(path.text),
            None => Rule::path(""),
        }
    }

    /// Tells whether any rule of paths or names seals for a member that stands beside.
    pub(crate) fn seals_beside(&self) -> bool {
        let is_beside = |method: Method| matches!(method, Method::Seal(Subject::Beside(_)));
        self.has_paths() && self.paths().any(|(_, path)| is_beside(path.method)) || self.privacy.seals_beside
    }

    /// Returns how a value is removed for which this method is asked.
    pub(crate) const fn method(&self, asked: Method) -> Method {
        if self.drops_all { Method::Drop } else { asked }
    }

    pub(crate) fn set_subject(&mut self, path: usize, subject: String) {
        self.subjects.push((path, subject));
    }

    pub(crate) fn subject(&self, path: usize) -> Option<&str> {
        self.subjects.iter().find(|(known, _)| *known == path).map(|(_, subject)| subject.as_str())
    }

    /// Returns the user on whose behalf the agent acts.
    pub(crate) fn user(&self) -> Option<&str> {
        self.context.as_ref()?.user_id()
    }

    fn tenant(&self) -> Option<&str> {
        self.context.as_ref()?.tenant_id()
    }

    /// Makes the token of a scalar in canonical JSON.
    pub(crate) fn token(&self, scalar: &[u8]) -> Result<Token, ProtectError> {
        match &self.privacy.protect {
            Some(protect) if !self.drops_all => protect.token(self.tenant(), scalar),
            _ => Err(ProtectError::new("expected keys, found none")),
        }
    }

    /// Seals a value in canonical JSON for the subject.
    pub(crate) fn seal(&self, subject: &str, name: &str, value: &[u8]) -> Result<Sealed, ProtectError> {
        match &self.privacy.protect {
            Some(protect) if !self.drops_all && !subject.is_empty() => {
                protect.seal(&Sealing { tenant: self.tenant(), subject, name, value })
            }
            _ => Err(ProtectError::new("expected keys and a subject, found none")),
        }
    }

    pub(crate) fn patterns(&self) -> &Patterns {
        &self.privacy.patterns
    }

    /// Removes from a text what was removed before, everything after the name of a secret that is given a value or of a type
    /// that has rules, and what looks like a secret. The text is withheld if a removed value is not known.
    pub(crate) fn scrub(&self, text: &str, secrets: &Secrets) -> Scrubbed {
        if let Some(rule) = secrets.unknown() {
            return Scrubbed { text: None, removals: vec![Removal::drop(rule.clone())] };
        }
        let (text, removals) = self.scrub_known(text, secrets);
        Scrubbed { text: Some(text), removals }
    }

    /// Does so for texts that the user chose, what identifies a target: a removed value that is not known does not
    /// withhold them.
    pub(crate) fn scrub_known(&self, text: &str, secrets: &Secrets) -> (String, Vec<Removal>) {
        let (mut clean, mut removals) = secrets.cut(text);
        if let Some((keep, rule)) = first_told(&clean, &self.privacy.names) {
            clean.truncate(keep);
            clean.push(' ');
            clean.push_str(REMOVED);
            removals.push(Removal::drop(rule));
        }
        if let Some(without) = self.without_patterns(&clean, &mut removals) {
            clean = without;
        }
        (clean, removals)
    }

    /// Cleans a value in canonical JSON, if it is a text, of what was removed around it. Returns what was removed now.
    pub(crate) fn clean_text(&self, json: &mut Vec<u8>, secrets: &Secrets) -> Vec<Removal> {
        if secrets.is_empty() || json.first() != Some(&b'"') {
            return Vec::new();
        }
        let Ok(text) = serde_json::from_slice::<String>(json) else { return Vec::new() };
        let scrubbed = self.scrub(&text, secrets);
        if !scrubbed.removals.is_empty() {
            json.clear();
            write_string(json, scrubbed.text.as_deref().unwrap_or(REMOVED));
        }
        scrubbed.removals
    }

    /// Removes from a text what looks like a secret; nothing if there is none.
    pub(crate) fn without_patterns(&self, text: &str, removals: &mut Vec<Removal>) -> Option<String> {
        let found = self.patterns().find(text);
        (!found.is_empty()).then(|| self.replace(text, &found, removals))
    }

    /// Puts into the text what stands for each of the secrets that were found in it.
    pub(crate) fn replace(&self, text: &str, found: &[Match], removals: &mut Vec<Removal>) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut end = 0;
        for secret in found {
            clean.push_str(text.get(end..secret.range.start).unwrap_or_default());
            let value = text.get(secret.range.clone()).unwrap_or_default();
            let (instead, removal) = self.instead_of(secret, value);
            clean.push_str(&instead);
            if !removals.contains(&removal) {
                removals.push(removal);
            }
            end = secret.range.end;
        }
        clean.push_str(text.get(end..).unwrap_or_default());
        clean
    }

    fn instead_of(&self, secret: &Match, value: &str) -> (String, Removal) {
        let rule = self.patterns().rule(secret);
        let method = self.method(self.patterns().method(secret.pattern).unwrap_or(Method::Drop));
        match method {
            Method::Mask { last_four } => (mask(value, last_four), Removal::new(rule, method)),
            Method::Token => match self.token_of_text(&normalised(secret.pattern, value)) {
                Ok(Token { text, key_id }) => (text, Removal { key_id: Some(key_id), ..Removal::new(rule, method) }),
                Err(_none) => (REMOVED.to_owned(), Removal::drop(rule)),
            },
            // What stands in a text cannot be sealed.
            Method::Drop | Method::Seal(_) => (REMOVED.to_owned(), Removal::drop(rule)),
        }
    }

    pub(crate) fn token_of_text(&self, text: &str) -> Result<Token, ProtectError> {
        let mut json = Vec::with_capacity(text.len() + 2);
        write_string(&mut json, text);
        self.token(&json)
    }
}

/// Returns a number without what separates its groups, so that one number has one token.
fn normalised(pattern: Pattern, value: &str) -> String {
    if !matches!(pattern, Pattern::CardNumber | Pattern::Iban) {
        return value.to_owned();
    }
    value.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_uppercase()).collect()
}

/// Returns what stands in the place of a masked value, with its last four characters if they are asked for and few.
pub(crate) fn mask(value: &str, last_four: bool) -> String {
    let mut masked = MASK.to_owned();
    if last_four && value.chars().nth(LAST_FOUR_CHARACTERS_MIN - 1).is_some() {
        let from = value.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        masked.push_str(value.get(from..).unwrap_or_default());
    }
    masked
}

/// Removes from a value of a context what lets in whoever has it. Returns by which rules.
pub(crate) fn without_credentials(text: &mut String) -> Vec<Rule> {
    let found = pattern::credentials(text);
    let mut rules = Vec::new();
    for secret in found.into_iter().rev() {
        text.replace_range(secret.range.clone(), REMOVED);
        rules.push(Patterns::default().rule(&secret));
    }
    rules
}
