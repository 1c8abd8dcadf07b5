//! The arguments held against what they stand on: what comes out of here can be expanded.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::{ExprClosure, LitStr};

use crate::args::{Args, Boxed, Field, Name, OnUnavailable, Target};
use crate::closure;
use crate::errors::Errors;
use crate::model::Parameter;
use crate::path::{Segment, SummaryPath};
use crate::words::{Durability, Effect, Level, Stages, Telemetry, Unavailable};

pub(crate) use function::{Around, Exempt, exempt, function, generics};

mod function;
mod parameters;

/// What is known of an audited function, block or closure, free of mistakes.
pub(crate) struct Audited {
    pub(crate) action: Text,
    pub(crate) tool: Text,
    pub(crate) effect: Effect,
    pub(crate) level: Level,
    pub(crate) telemetry: Telemetry,
    pub(crate) stages: Stages,
    pub(crate) durability: Option<Durability>,
    pub(crate) append_timeout_ms: Option<u64>,
    pub(crate) on_unavailable: OnUnavailable,
    /// The closure of `on_unavailable` names a parameter: it can only run before the body takes them.
    pub(crate) refuses_at_once: bool,
    pub(crate) boxed: Option<Boxed>,
    pub(crate) parameters: Vec<Parameter>,
    /// The indices of the parameters that are not captured.
    pub(crate) skipped: Vec<usize>,
    pub(crate) redact: Vec<Redaction>,
    pub(crate) fields: Vec<Field>,
    pub(crate) targets: Vec<Target>,
    pub(crate) outcome: Option<ExprClosure>,
    pub(crate) summary: Vec<SummaryPath>,
    pub(crate) result: Option<ExprClosure>,
    /// The line of a method, where the attribute stands on its `impl`.
    pub(crate) line: Option<u32>,
    /// The path of the crate that the expansion names.
    pub(crate) root: TokenStream,
}

/// A text that is known here, or a constant that is known to the compiler.
#[derive(Clone)]
pub(crate) enum Text {
    Literal(String),
    Constant(syn::Path),
}

/// A path of `redact`, resolved.
pub(crate) struct Redaction {
    pub(crate) text: String,
    pub(crate) root: Root,
    pub(crate) segments: Vec<Segment>,
    pub(crate) method: Method,
}

/// How a value is removed, resolved.
#[derive(Clone)]
pub(crate) enum Method {
    Drop,
    Mask {
        last_four: bool,
    },
    Token,
    /// For the subject that the path leads to, or for the user on whose behalf the agent acts.
    Seal(Option<(Root, Vec<Segment>)>),
}

/// What a redaction path starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Parameter(usize),
    Return,
    Error,
}

/// What the arguments stand on.
pub(crate) struct Subject {
    pub(crate) parameters: Vec<Parameter>,
    /// The tool's name where none is given; without one it is the action.
    pub(crate) tool: Option<String>,
    /// The effect where none is given.
    pub(crate) effect: Option<Effect>,
    /// The generic parameters, which a `static` cannot name.
    pub(crate) generics: Vec<String>,
    pub(crate) line: Option<u32>,
}

/// Checks the arguments against the subject; the result is only to be used if nothing was added to `errors`.
pub(crate) fn validate(args: Args, subject: Subject, errors: &mut Errors) -> Audited {
    check_alone(&args, errors);
    for name in [&args.action, &args.name].into_iter().flatten() {
        check_constant(name, &subject.generics, errors);
    }
    let effect = args.effect.or(subject.effect).unwrap_or(Effect::Write);
    check_stages(effect, &args, errors);
    check_append_timeout(effect, &args, errors);
    let skipped = parameters::skipped(&args, &subject.parameters, errors);
    let redact = parameters::redactions(&args, &subject.parameters, &skipped, errors);
    parameters::check_recorded(&args, &subject.parameters, &skipped, errors);
    check_overrides(&args, &subject.parameters, errors);
    let action = args.action.map_or_else(|| Text::Literal(String::new()), Text::of);
    let named = args.name.map(Text::of).or_else(|| subject.tool.map(Text::Literal));
    Audited {
        tool: named.unwrap_or_else(|| action.clone()),
        action,
        effect,
        level: args.level.unwrap_or(Level::Request),
        telemetry: args.telemetry.unwrap_or(Telemetry::Names),
        stages: args.stages.map_or(Stages::StartedCompleted, |(stages, _)| stages),
        durability: args.durability,
        append_timeout_ms: args.append_timeout_ms.map(|(milliseconds, _)| milliseconds),
        on_unavailable: args.on_unavailable.unwrap_or_else(|| unavailable_by_default(effect)),
        refuses_at_once: false,
        boxed: args.boxed.map(|(boxed, _)| boxed),
        parameters: subject.parameters,
        skipped,
        redact,
        fields: args.fields,
        targets: args.targets,
        outcome: args.outcome,
        summary: args.summary.unwrap_or_default(),
        result: args.result,
        line: subject.line,
        root: root(args.root),
    }
}

/// Returns the crate that the expansion names.
fn root(given: Option<syn::Path>) -> TokenStream {
    // In the span of its successors: spans of two origins do not combine into one that errors can point at.
    given.map_or_else(|| quote_spanned!(Span::mixed_site()=> ::audited), |root| root.into_token_stream())
}

impl Text {
    fn of(name: Name) -> Self {
        match name {
            Name::Text(text) => Self::Literal(text.value()),
            Name::Constant(path) => Self::Constant(path),
        }
    }
}

/// Checks what can be told without the subject.
fn check_alone(args: &Args, errors: &mut Errors) {
    match &args.action {
        Some(Name::Text(action)) => check_name(action, "an action", errors),
        Some(Name::Constant(_)) => {}
        None if args.action_attempted => {}
        None => errors.at(Span::call_site(), NO_ACTION),
    }
    if let Some(Name::Text(name)) = &args.name {
        check_text(name, "a tool name", errors);
    }
    for target in &args.targets {
        check_name(&target.kind, "a target type", errors);
    }
    if let Some(target) = args.targets.get(TARGETS_MAX) {
        errors.on(&target.kind, format!("more than {TARGETS_MAX} targets: a call names at most {TARGETS_MAX}"));
    }
}

/// Refuses a destructive action that records its end only.
pub(crate) fn check_stages(effect: Effect, args: &Args, errors: &mut Errors) {
    if let (Effect::Destructive, Some((Stages::Completed, span))) = (effect, args.stages) {
        errors.at(span, INTENT_FIRST);
    }
}

/// Refuses not to wait for what cannot be there at once: such calls could never be recorded.
pub(crate) fn check_append_timeout(effect: Effect, args: &Args, errors: &mut Errors) {
    let waits_for_the_disk = effect == Effect::Destructive || args.durability == Some(Durability::Disk);
    if let (true, Some((0, span))) = (waits_for_the_disk, args.append_timeout_ms) {
        errors.at(span, DISK_TAKES_TIME);
    }
}

/// Checks a name in which white space would be a mistake.
pub(crate) fn check_name(name: &LitStr, what: &str, errors: &mut Errors) {
    if name.value().contains(char::is_whitespace) {
        errors.on(name, format!("{what} has no white space, as in `order.refund`"));
    } else {
        check_text(name, what, errors);
    }
}

fn check_text(text: &LitStr, what: &str, errors: &mut Errors) {
    let value = text.value();
    if value.is_empty() {
        errors.on(text, format!("{what} is not empty"));
    } else if value.len() > TEXT_BYTES_MAX {
        errors.on(text, format!("{what} has at most {TEXT_BYTES_MAX} bytes, this one has {}", value.len()));
    } else if value.contains(char::is_control) {
        errors.on(text, format!("{what} has no control characters"));
    }
}

/// Refuses what a `static` cannot name.
fn check_constant(name: &Name, generics: &[String], errors: &mut Errors) {
    let Name::Constant(path) = name else { return };
    let Some(first) = path.segments.first() else { return };
    let rest: Vec<String> = path.segments.iter().skip(1).map(|segment| segment.ident.to_string()).collect();
    let rest = rest.join("::");
    if first.ident == "Self" {
        errors.on(path, format!("what is said of a function is a `static`, which cannot use `Self`: name the type, as in `Orders::{rest}`"));
    } else if generics.iter().any(|generic| first.ident == generic) {
        let message = format!(
            "what is said of a function is a `static`, the same for every `{}`: name a constant that does not depend on it",
            first.ident
        );
        errors.on(path, message);
    }
}

/// Checks what is said of the result.
fn check_overrides(args: &Args, parameters: &[Parameter], errors: &mut Errors) {
    let both: Vec<_> = args.given_of(&["summary", "result"]).collect();
    if let [_, second] = both.as_slice() {
        errors.on(second, SUMMARY_OR_RESULT);
    }
    let summary = args.summary.as_deref().unwrap_or_default();
    for (index, path) in summary.iter().enumerate() {
        if summary.iter().take(index).any(|other| other.text() == path.text()) {
            errors.on(path, format!("`{}` is named twice", path.text()));
        }
    }
    let variables = variables(parameters);
    for (name, closure) in [("outcome", &args.outcome), ("result", &args.result)] {
        if let Some((span, variable)) = closure.as_ref().and_then(|closure| closure::mention(closure, &variables)) {
            let message =
                format!("the closure of `{name}` runs after the body has taken `{variable}`: it has only the result");
            errors.at(span, message);
        }
    }
}

/// Returns what a closure in the attribute could name of the function's.
pub(crate) fn variables(parameters: &[Parameter]) -> Vec<String> {
    parameters.iter().map(Parameter::text).chain(["self".to_owned()]).collect()
}

fn unavailable_by_default(effect: Effect) -> OnUnavailable {
    OnUnavailable::Word(match effect {
        Effect::Destructive => Unavailable::Deny,
        Effect::Read | Effect::Write => Unavailable::Count,
    })
}

/// More targets than this are refused, as in the record.
const TARGETS_MAX: usize = 16;
/// An action, a tool name and a target type are at most this long.
const TEXT_BYTES_MAX: usize = 128;

const NO_ACTION: &str =
    "`action` is missing: it says what is done in the words of the business, as in `action = \"order.refund\"`";
const INTENT_FIRST: &str = "a destructive action has two stages: its intent must be recorded before the body runs; \
    allowed: `\"started_completed\"`";
const DISK_TAKES_TIME: &str = "a record that must be on the disk takes time: `append_timeout_ms` is at least 1 for a destructive \
    action and with `durability = \"disk\"`";
const SUMMARY_OR_RESULT: &str = "`summary` and `result` both say what is recorded of the result: `summary` names members of it, \
    `result` makes another value; keep one";
