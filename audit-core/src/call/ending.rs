//! How a call ended, told by its expansion: the returned value taken apart, and what it says of itself.

use core::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::open::{Ended, Open};
use crate::canonical::Canonical;
use crate::capture::Captured;
use crate::outcome::{self, Conclusion, ErrorFacts, Stated, TOOL_ERROR};
use crate::record::Response;
use crate::redact::{Redaction, Root};
use crate::reused::Buffer;
use crate::vocabulary::{Level, Status};

/// Where a result stands in a record, and where its summary does.
const RESULT: &str = "/response/result";
const SUMMARY: &str = "/response/summary";

/// How long a code may be.
const CODE_BYTES_MAX: usize = 128;

/// What tells an [`Ending`]: the expansion, where the types are known.
pub type Tell<'t> = dyn FnMut(&mut Ending<'_>) + 't;

/// What gives a value to the one who captures it.
pub type Produce<'p> = dyn FnMut(&mut dyn FnMut(Captured<'_>)) + 'p;

/// What lends a value to the one who captures it.
type ProduceRef<'p> = dyn FnMut(&mut dyn FnMut(&Captured<'_>)) + 'p;

/// What a call returned, taken apart: no code of the user's runs for it.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A value of success.
    Value(Stated<'a>, Captured<'a>),
    /// `None`.
    Nothing,
    /// An error, and the error as a value.
    Error(Stated<'a>, ErrorFacts<'a>, Captured<'a>),
}

/// Takes what a call returned.
#[derive(Debug)]
pub struct Ending<'c> {
    open: &'c mut Open,
    /// What the attribute's own closure says; it has the last word.
    stated: Option<Conclusion>,
    told: &'c mut Option<Ended>,
}

impl<'c> Ending<'c> {
    pub(super) const fn new(open: &'c mut Open, told: &'c mut Option<Ended>) -> Self {
        Self { open, stated: None, told }
    }

    /// Asks the attribute's closure how the call ended.
    pub fn conclude(&mut self, conclusion: &mut dyn FnMut() -> Conclusion) {
        self.stated = Some(quietly(conclusion).unwrap_or_else(panicked));
    }

    /// Takes what the call returned.
    pub fn take(&mut self, told: &Told<'_>) {
        match told {
            Told::Value(stated, value) => self.success(*stated, None, &mut |take| take(value)),
            Told::Nothing => self.nothing(),
            Told::Error(stated, facts, form) => self.failed(*stated, *facts, form),
        }
    }

    /// Takes a value of success.
    pub fn value(&mut self, stated: Stated<'_>, value: Captured<'_>) {
        self.success(stated, None, &mut |take| take(&value));
    }

    /// Takes a value of success in the place of which the attribute's closure puts another.
    pub fn mapped(&mut self, stated: Stated<'_>, value: Captured<'_>, produce: &mut Produce<'_>) {
        self.success(stated, Some(&value), &mut |take| produce(&mut |value| take(&value)));
    }

    /// Takes what an adapter says: how the call ended, and what it returned.
    pub(crate) fn concluded(&mut self, conclusion: Conclusion, result: Option<Captured<'_>>) {
        let json = result.and_then(|result| self.open.write_result(&result));
        *self.told = Some(self.open.ended(conclusion, json));
    }

    /// Takes `None`.
    pub fn nothing(&mut self) {
        let conclusion = self.stated.take().unwrap_or_else(Conclusion::success);
        *self.told = Some(self.open.ended(conclusion, Some(b"null".to_vec().into())));
    }

    /// Takes an error; `form` is the error as a value, whose JSON may have a code.
    pub fn error(&mut self, stated: Stated<'_>, facts: ErrorFacts<'_>, form: Captured<'_>) {
        self.failed(stated, facts, &form);
    }

    fn failed(&mut self, stated: Stated<'_>, facts: ErrorFacts<'_>, form: &Captured<'_>) {
        let facts = facts.forms();
        let conclusion = self.stated.take().or_else(|| conclusion(stated));
        // The variant may be the error's text: `anyhow::Error` shows it by `Debug`, too.
        let hidden = self.open.hides_errors();
        let error_type = if hidden { facts.type_name() } else { facts.error_type() };
        let code = || facts.code().or_else(|| outcome::code(&form.json()?));
        let (text, code) = (facts.text(), if hidden { None } else { code() });
        let mut conclusion = conclusion.unwrap_or_else(|| Conclusion::from(Status::Failure));
        if conclusion.error_type.is_none() {
            conclusion.error_type = Some(error_type);
            conclusion.type_name = Some(facts.type_name());
        }
        conclusion.reason = conclusion.reason.or(text);
        conclusion.code = conclusion.code.or(code);
        *self.told = Some(self.open.ended(conclusion, None));
        // Whatever it counts as, the error may pass through the call around this one.
        self.open.tell_the_outer_call();
    }

    /// Takes a future or stream of a type of its own, whose end cannot be seen.
    pub fn unwatched(&mut self) {
        let conclusion = Conclusion::unknown().reason("returned a future or stream whose end is not seen");
        *self.told = Some(self.open.ended(conclusion, None));
    }

    /// Takes a value of success, or what stands in its place: then `original` is the value.
    fn success(&mut self, stated: Stated<'_>, original: Option<&Captured<'_>>, produce: &mut ProduceRef<'_>) {
        let conclusion = self.stated.take().or_else(|| conclusion(stated));
        let (mut written, mut is_error) = (None, false);
        let open = &mut *self.open;
        // The closure that produces the value is the user's; so is the `Serialize` of what it produces.
        let _panicked = catch_unwind(AssertUnwindSafe(|| {
            produce(&mut |value| {
                written = open.write_result(value);
                is_error = match (original, &written) {
                    (None, Some(json)) => outcome::is_error(json),
                    // What is withheld or replaced is looked at as it is, and not kept.
                    (original, _) => open.says_that_it_is_an_error(original.unwrap_or(value)),
                };
            });
        }));
        if conclusion.is_none() && is_error {
            return self.tool_error(written);
        }
        let conclusion = conclusion.unwrap_or_else(Conclusion::success);
        *self.told = Some(self.open.ended(conclusion, written));
    }

    fn tool_error(&mut self, written: Option<Buffer>) {
        let mut conclusion = Conclusion::known_failure(TOOL_ERROR);
        conclusion.reason = written.as_ref().and_then(|json| outcome::first_text(json));
        // What a failed tool says may quote its arguments, as the text of any error does.
        let quotes = self.open.hides_errors() || !self.open.inside.with_secrets(|secrets| secrets.is_empty());
        *self.told = Some(self.open.ended(conclusion, written.filter(|_| !quotes)));
        self.open.tell_the_outer_call();
    }
}

fn conclusion(stated: Stated<'_>) -> Option<Conclusion> {
    quietly(&mut || stated.conclusion()).unwrap_or_else(|| Some(panicked()))
}

/// Runs code of the user's; nothing if it panics.
fn quietly<R>(code: &mut dyn FnMut() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}

/// What is known of the outcome where the code that says it panicked.
fn panicked() -> Conclusion {
    Conclusion::unknown().reason("what says how the call ended panicked")
}

/// Returns where a result stands in a record of this level.
const fn place_of(level: Level) -> &'static str {
    match level {
        Level::Metadata => "",
        Level::Request => SUMMARY,
        Level::RequestResponse => RESULT,
    }
}

impl Open {
    fn says_that_it_is_an_error(&self, value: &Captured<'_>) -> bool {
        value.json().is_some_and(|json| outcome::is_error(&json))
    }

    /// Writes a result as the record has it; nothing if it was withheld. At level `metadata` it is written only to see
    /// whether it says that it is an error.
    fn write_result(&mut self, value: &Captured<'_>) -> Option<Buffer> {
        let level = self.result_level();
        let pointer = place_of(level);
        let place = (pointer, pointer.rsplit('/').next().unwrap_or_default());
        // What is only looked at is worth no key.
        let is_kept = level != Level::Metadata;
        let rules = if is_kept { mem::take(&mut self.rules) } else { self.rules.dropping() };
        let mut canonical = Canonical::redacting(rules);
        canonical.find_subjects(&|root| (root == Root::Return).then_some(value));
        let written = value.write(&mut canonical, place, Some(Root::Return));
        if let Some(rules) = canonical.take_rules().filter(|_| is_kept) {
            self.rules = rules;
        }
        let (bytes, redactions, _not_in_errors) = canonical.into_parts();
        self.response_redactions.extend(redactions);
        written.then_some(bytes)
    }

    /// Makes the record's response of a result that was written, as the level has it.
    fn response(&mut self, json: Option<Buffer>, level: Option<Level>) -> Option<Response> {
        let removed = mem::take(&mut self.response_redactions);
        let level = level.filter(|level| *level != Level::Metadata)?;
        let is_whole = level == Level::RequestResponse;
        let (from, to) = (place_of(self.result_level()), place_of(level));
        self.redactions.extend(removed.into_iter().map(|redaction| match redaction.path.strip_prefix(from) {
            Some(rest) if from != to => Redaction { path: format!("{to}{rest}"), ..redaction },
            _ => redaction,
        }));
        Some(Response::new(json?, is_whole, self.site.summary))
    }

    /// Makes the record's outcome, clean of what was removed from the arguments.
    pub(super) fn ended(&mut self, conclusion: Conclusion, result: Option<Buffer>) -> Ended {
        let level = self.ruled(Some(conclusion.status)).level;
        let response = self.response(result, level);
        let (event, effect) = outcome::end(self.site.effect, conclusion.status, conclusion.effect);
        let error_type = conclusion.error_type.and_then(|text| self.clean(&text, "/outcome/error_type"));
        let mut code = conclusion.code.and_then(|text| self.clean(&text, "/outcome/code"));
        if let Some(code) = &mut code {
            crate::limit::cut(code, CODE_BYTES_MAX);
        }
        let outcome = crate::record::Outcome {
            status: conclusion.status,
            effect,
            error_type: error_type.or(conclusion.type_name),
            code,
            reason: self.reason(conclusion.reason),
            parts: conclusion.succeeded.zip(conclusion.failed),
        };
        if conclusion.status != Status::Success {
            self.tell_the_outer_call();
        }
        Ended { event, outcome, response }
    }
}
