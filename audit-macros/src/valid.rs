//! The arguments held against the function: what comes out of here can be expanded.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{GenericArgument, LitStr, PathArguments, ReturnType, Type, TypeParamBound};

use crate::args::{Args, OnUnavailable, Target};
use crate::errors::{self, Errors};
use crate::model::{Function, Parameter};
use crate::path::{Path, Segment};
use crate::words::{Durability, Effect, Level, Stages, Unavailable};

/// An audited function, free of mistakes.
pub(crate) struct Audited {
    pub(crate) function: Function,
    pub(crate) action: String,
    pub(crate) tool: String,
    pub(crate) effect: Effect,
    pub(crate) level: Level,
    pub(crate) stages: Stages,
    pub(crate) durability: Option<Durability>,
    pub(crate) on_unavailable: OnUnavailable,
    pub(crate) redact: Vec<Redaction>,
    /// The indices of the parameters that are not captured.
    pub(crate) skipped: Vec<usize>,
    pub(crate) targets: Vec<Target>,
    /// The path of the crate that the expansion names.
    pub(crate) root: TokenStream,
}

/// A path of `redact`, resolved.
pub(crate) struct Redaction {
    pub(crate) text: String,
    pub(crate) root: Root,
    pub(crate) segments: Vec<Segment>,
}

/// What a redaction path starts from.
pub(crate) enum Root {
    Parameter(usize),
    Return,
    Error,
}

/// Checks the arguments against the function; the result is only to be used if nothing was added to `errors`.
pub(crate) fn validate(args: Args, function: Function, errors: &mut Errors) -> Audited {
    refuse_signature(&function, errors);
    let parameters: Vec<String> = function.parameters.iter().map(Parameter::text).collect();
    let skipped = skipped(&args.skip, &parameters, errors);
    let redact = redactions(&args.redact, &parameters, &skipped, errors);
    let effect = args.effect.unwrap_or(Effect::Write);
    Audited {
        action: args.action.map(|action| action.value()).unwrap_or_default(),
        tool: args.name.map_or_else(|| function.signature.ident.unraw().to_string(), |name| name.value()),
        effect,
        level: args.level.unwrap_or(Level::Request),
        stages: args.stages.map_or(Stages::StartedCompleted, |(stages, _)| stages),
        durability: args.durability,
        on_unavailable: args.on_unavailable.unwrap_or_else(|| unavailable_by_default(effect)),
        redact,
        skipped,
        targets: args.targets,
        // In the span of its successors: spans of two origins do not combine into one that errors can point at.
        root: args.root.map_or_else(|| quote_spanned!(Span::mixed_site()=> ::audited), |root| root.into_token_stream()),
        function,
    }
}

/// Checks what can be told without the function.
pub(crate) fn validate_alone(args: &Args, errors: &mut Errors) {
    match &args.action {
        Some(action) => check_name(action, "an action", errors),
        None if args.action_attempted => {}
        None => errors.at(Span::call_site(), NO_ACTION),
    }
    if let Some(name) = &args.name {
        check_text(name, "a tool name", errors);
    }
    for target in &args.targets {
        check_name(&target.kind, "a target type", errors);
    }
    if let Some(target) = args.targets.get(TARGETS_MAX) {
        errors.on(&target.kind, format!("more than {TARGETS_MAX} targets: a call names at most {TARGETS_MAX}"));
    }
    if let (Some(Effect::Destructive), Some((Stages::Completed, span))) = (args.effect, args.stages) {
        errors.at(span, INTENT_FIRST);
    }
}

fn check_name(name: &LitStr, what: &str, errors: &mut Errors) {
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

fn unavailable_by_default(effect: Effect) -> OnUnavailable {
    OnUnavailable::Word(match effect {
        Effect::Destructive => Unavailable::Deny,
        Effect::Read | Effect::Write => Unavailable::Count,
    })
}

fn refuse_signature(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        errors.on(constness, NOT_CONST);
    }
    if let ReturnType::Type(_, output) = &signature.output
        && signature.asyncness.is_none()
        && is_future(output)
    {
        errors.on(output, NOT_A_FUTURE);
    }
    for attribute in &function.attributes {
        if attribute.path().segments.last().is_some_and(|segment| segment.ident == "audited") {
            errors.at(attribute.path().span(), "`#[audited]` is given twice: each call would be recorded twice");
        }
    }
}

/// Tells whether a type is written as a future: `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`.
fn is_future(written: &Type) -> bool {
    match written {
        Type::ImplTrait(opaque) => opaque.bounds.iter().any(is_future_bound),
        Type::TraitObject(object) => object.bounds.iter().any(is_future_bound),
        Type::Paren(inside) => is_future(&inside.elem),
        Type::Group(inside) => is_future(&inside.elem),
        Type::Reference(reference) => is_future(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
            _ if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" => true,
            PathArguments::AngleBracketed(arguments) if last.ident == "Pin" || last.ident == "Box" => arguments
                .args
                .iter()
                .any(|argument| matches!(argument, GenericArgument::Type(inside) if is_future(inside))),
            _ => false,
        }),
        _ => false,
    }
}

fn is_future_bound(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == "Future"))
}

fn skipped(names: &[Ident], parameters: &[String], errors: &mut Errors) -> Vec<usize> {
    let mut skipped = Vec::new();
    for name in names {
        let text = name.unraw().to_string();
        match parameters.iter().position(|parameter| *parameter == text) {
            Some(index) if skipped.contains(&index) => errors.on(name, format!("`{text}` is skipped twice")),
            Some(index) => skipped.push(index),
            None => errors.on(name, unknown_parameter(name, parameters, &[])),
        }
    }
    skipped
}

fn redactions(paths: &[Path], parameters: &[String], skipped: &[usize], errors: &mut Errors) -> Vec<Redaction> {
    let mut redactions = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let before = paths.iter().take(index);
        if before.into_iter().any(|other| path.addresses_same_as(other)) {
            errors.on(path, format!("`{}` is redacted twice", path.text()));
            continue;
        }
        match roots(path, parameters, skipped) {
            Ok(roots) => redactions.extend(roots.into_iter().map(|root| Redaction {
                text: path.text(),
                root,
                segments: path.segments.clone(),
            })),
            Err(error) => errors.push(error),
        }
    }
    redactions
}

/// Returns what a path starts from; with a parameter called `error` that is two things.
fn roots(path: &Path, parameters: &[String], skipped: &[usize]) -> syn::Result<Vec<Root>> {
    let mut roots = Vec::new();
    if path.first == "return" {
        return Ok(vec![Root::Return]);
    }
    let is_error = path.first == "error" && path.segments.is_empty();
    let name = path.first.unraw().to_string();
    match parameters.iter().position(|parameter| *parameter == name) {
        Some(index) if !skipped.contains(&index) => roots.push(Root::Parameter(index)),
        // The parameter is not captured, but the text of an error is.
        Some(_) if is_error => {}
        Some(_) => return Err(syn::Error::new_spanned(path, skipped_too(&name))),
        None if path.first == "error" && !is_error => return Err(syn::Error::new_spanned(path, ERROR_IS_TEXT)),
        None if path.first == "error" => {}
        None => {
            let message = unknown_parameter(&path.first, parameters, &["return", "error"]);
            return Err(syn::Error::new(path.first.span(), message));
        }
    }
    if is_error {
        roots.push(Root::Error);
    }
    Ok(roots)
}

fn skipped_too(name: &str) -> String {
    format!(
        "`{name}` is skipped, so nothing of it is recorded and nothing is left to redact: remove it from `skip` or `redact`"
    )
}

fn unknown_parameter(name: &Ident, parameters: &[String], others: &[&str]) -> String {
    if name == "self" {
        return "`self` is not captured, so nothing of it is recorded".to_owned();
    }
    let text = name.unraw().to_string();
    let allowed: Vec<&str> = parameters.iter().map(String::as_str).chain(others.iter().copied()).collect();
    let suggestion = errors::did_you_mean(&text, allowed.iter().copied());
    if allowed.is_empty() {
        return format!("no parameter is called `{text}`: the function has none");
    }
    format!("no parameter is called `{text}`; allowed: {}{suggestion}", errors::list(allowed))
}

/// More targets than this are refused, as in the record.
const TARGETS_MAX: usize = 16;
/// An action, a tool name and a target type are at most this long.
const TEXT_BYTES_MAX: usize = 128;

const NO_ACTION: &str =
    "`action` is missing: it says what is done in the words of the business, as in `action = \"order.refund\"`";
const INTENT_FIRST: &str = "a destructive action has two stages: its intent must be recorded before the body runs; \
    allowed: `\"started_completed\"`";
const NOT_CONST: &str = "a `const fn` may run at compile time, when nothing can be recorded: remove `const`, or audit the function that calls it";
const NOT_A_FUTURE: &str = "functions that return a future are not supported yet: the call would be recorded as finished \
    before it ran; write `async fn`, or, under `#[async_trait]`, put `#[audited]` on the inner `async fn` that this one calls";
const ERROR_IS_TEXT: &str = "the text of an error has no keys: write `error`";
