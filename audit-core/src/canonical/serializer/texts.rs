//! Scalars and keys: kept out of texts where they are removed, and cleaned of what looks like a secret.

use super::super::Error;
use super::super::text::{write_float, write_integer};
use super::items::Key;
use super::removal::{Mode, Removed};
use super::{Canonical, Frame};
use crate::privacy::Method;
use crate::redact::rule::Rule;
use crate::redact::rules::MASK;
use crate::redact::{Removal, names};

/// How many characters a number has at least that is looked at as a text.
const NUMBER_BYTES_MIN: usize = 12;

/// What the rule is called that removes the keys of maps.
const MAP_KEY: &str = "map_key";

impl Canonical {
    pub(super) fn text(&mut self, text: &str) -> Result<(), Error> {
        self.check_scalar()?;
        self.catch(text);
        self.keep(text);
        self.check_size(text.len())?;
        let start = self.out.len();
        match self.without_patterns(text) {
            Some(clean) => self.push_text(&clean),
            None => self.push_text(text),
        }
        self.tokenise(start);
        Ok(())
    }

    pub(super) fn integer(&mut self, negative: bool, magnitude: u128) -> Result<(), Error> {
        self.check_scalar()?;
        let start = self.out.len();
        write_integer(&mut self.out, negative, magnitude);
        self.finish_number(start);
        Ok(())
    }

    pub(super) fn float(&mut self, value: f64, shown: &dyn core::fmt::Display) -> Result<(), Error> {
        self.check_scalar()?;
        let start = self.out.len();
        write_float(&mut self.out, value);
        if self.removing.is_some() {
            // As Rust displays it: JSON widens an `f32` and writes small numbers with an exponent.
            self.keep(&shown.to_string());
        }
        self.finish_number(start);
        Ok(())
    }

    pub(super) fn boolean(&mut self, value: bool) -> Result<(), Error> {
        self.check_scalar()?;
        let start = self.out.len();
        self.push_raw(if value { b"true" } else { b"false" });
        self.tokenise(start);
        Ok(())
    }

    pub(super) fn null(&mut self) {
        self.push_raw(b"null");
    }

    /// Looks at the number that was written since `start`, in the form of JSON.
    fn finish_number(&mut self, start: usize) {
        let is_long = self.out.len() - start >= NUMBER_BYTES_MIN;
        if self.removing.is_none() && self.catching.is_none() && !is_long {
            return;
        }
        let text = self.out.get(start..).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default();
        let text = text.trim_matches('"').to_owned();
        self.catch(&text);
        self.keep(&text);
        if is_long && let Some(clean) = self.without_patterns(&text) {
            self.out.truncate(start);
            self.push_text(&clean);
        }
        self.tokenise(start);
    }

    /// Keeps a scalar that is removed.
    fn keep(&mut self, text: &str) {
        if let Some(removing) = self.removing.as_ref().filter(|removing| removing.is_secret()) {
            self.secrets.add(text, &removing.rule);
        }
    }

    /// Keeps a scalar that may be the subject of another one beside it.
    fn catch(&mut self, text: &str) {
        if let Some((depth, caught)) = &mut self.catching
            && *depth == self.depth
        {
            *caught = Some(text.to_owned());
        }
    }

    /// Removes from a text what looks like a secret; nothing if there is none. What a stronger rule removes is left to it,
    /// but not what is inside of a value that is sealed.
    fn without_patterns(&mut self, text: &str) -> Option<String> {
        let is_looked_at = match &self.removing {
            None => true,
            Some(removing) => removing.mode == Mode::Seal && !removing.is_at(self.depth),
        };
        let rules = self.rules.as_ref().filter(|_| is_looked_at)?;
        let found = rules.patterns().find(text);
        if found.is_empty() {
            return None;
        }
        let mut removals = Vec::new();
        let clean = rules.replace(text, &found, &mut removals);
        for secret in &found {
            self.secrets.add(text.get(secret.range.clone()).unwrap_or_default(), &rules.patterns().rule(secret));
        }
        let pointer = self.scratch.pointer.clone();
        removals.into_iter().for_each(|removal| self.note_removal(pointer.clone(), removal));
        Some(clean)
    }

    /// Returns how the key of a map is written.
    pub(super) fn key<'k>(&mut self, frame: &Frame, name: &'k str, shown: &'k mut String) -> Key<'k> {
        let Some((rule, instead)) = self.key_instead(frame, name) else { return Key::plain(name) };
        self.secrets.add(name, &rule);
        let Some((instead, removal)) = instead else {
            return Key { removed: Some(Removed::by_key(rule)), ..Key::plain(name) };
        };
        let pointer = self.scratch.pointer.clone();
        self.note_removal(pointer, removal);
        *shown = instead;
        Key { name, shown, removed: None }
    }

    /// Returns the rule that removes the key of a map, and what stands in its place.
    #[allow(clippy::type_complexity, reason = "the rule, and what is written and said in its place")]
    fn key_instead(&self, frame: &Frame, name: &str) -> Option<(Rule, Option<(String, Removal)>)> {
        let rules = self.rules.as_ref().filter(|_| !self.is_leaving_out())?;
        let found = rules.patterns().find(name);
        if let Some(first) = found.first() {
            let rule = rules.patterns().rule(first);
            let mut removals = Vec::new();
            let clean = rules.replace(name, &found, &mut removals);
            let is_token = removals.iter().all(|removal| removal.method == Method::Token.as_str());
            return Some((rule, removals.pop().filter(|_| is_token).map(|removal| (clean, removal))));
        }
        let asked = rules.privacy.map_keys.filter(|_| !names::is_plain(name))?;
        let rule = Rule::pattern(MAP_KEY);
        let instead = match rules.method(asked) {
            Method::Token => rules.token_of_text(name).ok().map(|token| {
                let removal = Removal { key_id: Some(token.key_id), ..Removal::new(rule.clone(), asked) };
                (token.text, removal)
            }),
            Method::Mask { .. } => Some((format!("{MASK}{}", frame.count + 1), Removal::new(rule.clone(), asked))),
            Method::Drop | Method::Seal(_) => None,
        };
        Some((rule, instead))
    }
}
