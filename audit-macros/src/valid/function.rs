//! What only a function or method can get wrong.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned as _;
use syn::{GenericParam, Generics, LitStr, Meta};

use super::{Audited, Subject, root, validate, variables};
use crate::args::{Args, OnUnavailable, Place};
use crate::closure;
use crate::errors::Errors;
use crate::mcp;
use crate::model::Function;
use crate::returned::Returned;
use crate::tokens::is_audited;

/// A function whose calls are not recorded, for a reason.
pub(crate) struct Exempt {
    pub(crate) tool: String,
    pub(crate) reason: LitStr,
    pub(crate) line: Option<u32>,
    pub(crate) root: TokenStream,
}

/// What stands around a function.
#[derive(Default)]
pub(crate) struct Around {
    /// The generic parameters of the `impl`.
    pub(crate) generics: Vec<String>,
    pub(crate) line: Option<u32>,
}

/// Checks the arguments against the function; the result is only to be used if nothing was added to `errors`.
pub(crate) fn function(
    args: Args,
    function: &mut Function,
    around: Around,
    place: Place,
    errors: &mut Errors,
) -> Audited {
    let returned = Returned::of(&function.signature.output);
    refuse_signature(function, place, errors);
    if let Some((_, span)) = args.boxed
        && function.signature.asyncness.is_none()
    {
        errors.at(span, NOTHING_TO_BOX);
    }
    let is_async = function.signature.asyncness.is_some();
    let mentioned = match &args.on_unavailable {
        Some(OnUnavailable::Closure(policy)) => closure::mention(policy, &variables(&function.parameters)),
        _ => None,
    };
    if let (Some((span, variable)), Returned::Future | Returned::BoxedFuture) = (&mentioned, returned)
        && !is_async
    {
        errors.at(*span, used_too_late(variable));
    }
    let tool = mcp::read(&function.attributes).unwrap_or_default();
    let subject = Subject {
        parameters: std::mem::take(&mut function.parameters),
        tool: Some(tool.name.unwrap_or_else(|| name(function))),
        effect: tool.effect,
        generics: around.generics.into_iter().chain(generics(&function.signature.generics)).collect(),
        line: around.line,
    };
    let audited = validate(args, subject, errors);
    Audited { refuses_at_once: mentioned.is_some(), ..audited }
}

/// Checks what is said of a function that is not audited.
pub(crate) fn exempt(args: Args, function: &Function, line: Option<u32>, errors: &mut Errors) -> Option<Exempt> {
    for other in args.given_beside(&["exempt", "crate"]) {
        errors.on(other, "`exempt` stands alone: the calls are recorded, or they are not");
    }
    refuse_second(function, errors);
    let tool = mcp::read(&function.attributes).and_then(|tool| tool.name).unwrap_or_else(|| name(function));
    Some(Exempt { tool, reason: args.exempt?, line, root: root(args.root) })
}

/// Returns the name that the function's tool has by itself: with rmcp that is the identifier as written.
fn name(function: &Function) -> String {
    use syn::ext::IdentExt as _;
    let name = &function.signature.ident;
    if mcp::read(&function.attributes).is_some() { name.to_string() } else { name.unraw().to_string() }
}

/// Returns the names of the generic parameters.
pub(crate) fn generics(generics: &Generics) -> Vec<String> {
    let names = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
        _ => None,
    });
    names.collect()
}

fn refuse_signature(function: &Function, place: Place, errors: &mut Errors) {
    if let Some(constness) = &function.signature.constness {
        errors.on(constness, if place == Place::Method { CONST_METHOD } else { NOT_CONST });
    }
    refuse_second(function, errors);
}

fn refuse_second(function: &Function, errors: &mut Errors) {
    for attribute in &function.attributes {
        if is_audited(&attribute.meta) {
            errors.at(attribute.path().span(), "`#[audited]` is given twice: each call would be recorded twice");
        } else if let Some(span) = conditional(&attribute.meta) {
            errors.at(span, CONDITIONAL);
        }
    }
}

/// Finds an `audited` inside of `cfg_attr`, which would come to light after the first has expanded.
fn conditional(meta: &Meta) -> Option<Span> {
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let parser = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
    let parts = list.parse_args_with(parser).ok()?;
    parts.iter().skip(1).find(|part| is_audited(part)).map(|part| part.path().span())
}

fn used_too_late(variable: &str) -> String {
    format!(
        "the closure of `on_unavailable` uses `{variable}`: in a function that returns a future it may run after the body \
         has taken its parameters"
    )
}

const NOT_CONST: &str = "a `const fn` may run at compile time, when nothing can be recorded: remove `const`, or audit the function that calls it";
const CONST_METHOD: &str = "a `const fn` may run at compile time, when nothing can be recorded: remove `const`, or say why its calls \
    are not recorded: `#[audited(exempt(\"it computes a constant\"))]`";
const NOTHING_TO_BOX: &str = "`boxed` puts the body of an `async fn` on the heap: this function is not `async`";
const CONDITIONAL: &str =
    "this `#[audited]` is behind a `cfg_attr`, and there is another: each call would be recorded twice";
