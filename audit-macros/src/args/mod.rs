//! The arguments of the attribute, as written: each is parsed on its own, none is held against the function yet.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, ExprClosure, LitStr};

use crate::errors::{self, Errors};
use crate::path::SummaryPath;
use crate::removal::Removal;
use crate::words::{Durability, Effect, Level, Stages, Telemetry, Unavailable};

pub(crate) use forms::Place;
pub(crate) use value::{each_element, skip_value, string};

mod forms;
mod lists;
mod value;

/// What was written in the attribute.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) action: Option<Name>,
    pub(crate) name: Option<Name>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) effect: Option<Effect>,
    pub(crate) level: Option<Level>,
    pub(crate) telemetry: Option<Telemetry>,
    pub(crate) stages: Option<(Stages, Span)>,
    pub(crate) durability: Option<Durability>,
    pub(crate) append_timeout_ms: Option<(u64, Span)>,
    pub(crate) on_unavailable: Option<OnUnavailable>,
    pub(crate) redact: Vec<Removal>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) only: Option<Vec<Ident>>,
    pub(crate) fields: Vec<Field>,
    pub(crate) targets: Vec<Target>,
    pub(crate) outcome: Option<ExprClosure>,
    pub(crate) summary: Option<Vec<SummaryPath>>,
    pub(crate) result: Option<ExprClosure>,
    pub(crate) boxed: Option<(Boxed, Span)>,
    pub(crate) exempt: Option<LitStr>,
    pub(crate) root: Option<syn::Path>,
    /// An `action` was attempted; that it is missing would be a second error for the same mistake.
    pub(crate) action_attempted: bool,
    /// What was given, in the order in which it was.
    given: Vec<Ident>,
}

/// A text, or a constant that is one.
#[derive(Clone)]
pub(crate) enum Name {
    Text(LitStr),
    Constant(syn::Path),
}

/// What happens to a call that cannot be recorded.
#[derive(Clone)]
pub(crate) enum OnUnavailable {
    Word(Unavailable),
    Closure(Box<ExprClosure>),
}

/// Where the body of an `async fn` is put on the heap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boxed {
    Send,
    Local,
}

/// What a call acts on: `target(type = "order", id = order)`.
pub(crate) struct Target {
    pub(crate) kind: LitStr,
    pub(crate) id: Expr,
}

/// What is recorded beside the parameters: `fields(tenant = self.tenant)`.
pub(crate) struct Field {
    pub(crate) name: LitStr,
    pub(crate) value: Expr,
}

/// Parses the arguments; every mistake goes to `errors`, and what could be parsed is returned.
pub(crate) fn parse(tokens: TokenStream, place: Place, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let parser = |input: ParseStream<'_>| {
        each_element(input, errors, |input, errors| args.argument(input, place, errors));
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    args
}

impl Args {
    /// Parses the arguments of `call!` up to its body, the first of which may be the action alone.
    pub(crate) fn parse_before(
        input: ParseStream<'_>,
        is_end: impl Fn(ParseStream<'_>) -> bool,
        errors: &mut Errors,
    ) -> Self {
        let mut args = Self::default();
        let mut first = true;
        while !input.is_empty() && !is_end(input) {
            let parsed = if std::mem::take(&mut first) && !is_named(input) {
                args.first(input)
            } else {
                args.argument(input, Place::Call, errors)
            };
            if !value::end_of_element(parsed, input, errors) {
                break;
            }
        }
        args
    }

    /// Parses an action that is not called so.
    fn first(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        self.action_attempted = true;
        let name = Ident::new("action", input.span());
        let value: Expr = input.parse()?;
        self.action = Some(value::text_of(&name, &value)?);
        self.given.push(name);
        Ok(())
    }

    fn argument(&mut self, input: ParseStream<'_>, place: Place, errors: &mut Errors) -> syn::Result<()> {
        let name = self.argument_name(input, place)?;
        let text = name.unraw().to_string();
        if text != "target" {
            if self.is_given(&text) {
                return skip_value(input, syn::Error::new(name.span(), format!("`{text}` is given twice")));
            }
            self.given.push(Ident::new(&text, name.span()));
        }
        if let Some(message) = forms::misplaced(&text, place) {
            self.action_attempted |= text == "action" || text == "prefix";
            return skip_value(input, syn::Error::new(name.span(), message));
        }
        match text.as_str() {
            "action" => {
                self.action_attempted = true;
                self.action = Some(value::text(&name, input)?);
            }
            "name" => self.name = Some(value::text(&name, input)?),
            "prefix" => {
                self.action_attempted = true;
                self.prefix = Some(string(&name, input)?);
            }
            "effect" => self.effect = Some(value::word(&name, input)?.0),
            "level" => self.level = Some(value::word(&name, input)?.0),
            "telemetry" => self.telemetry = Some(value::word(&name, input)?.0),
            "stages" => self.stages = Some(value::word(&name, input)?),
            "durability" => self.durability = Some(value::word(&name, input)?.0),
            "append_timeout_ms" => self.append_timeout_ms = Some(value::milliseconds(&name, input)?),
            "on_unavailable" => self.on_unavailable = Some(value::on_unavailable(&name, input)?),
            "redact" => self.redact = lists::paths(&name, input, errors)?,
            "skip" => self.skip = lists::parameters(&name, input, errors)?,
            "only" => self.only = Some(lists::parameters(&name, input, errors)?),
            "fields" => self.fields = lists::fields(&name, input, errors)?,
            "target" => self.targets.extend(lists::target(&name, input, errors)?),
            "outcome" => self.outcome = Some(value::closure(&name, input)?),
            "summary" => self.summary = Some(lists::paths(&name, input, errors)?),
            "result" => self.result = Some(value::closure(&name, input)?),
            "boxed" => self.boxed = Some((value::boxed(&name, input)?, name.span())),
            "exempt" => {
                self.action_attempted = true;
                self.exempt = Some(lists::reason(&name, input)?);
            }
            "crate" => self.root = Some(value::root(&name, input)?),
            _ => return self.unknown(&name, &text, place, input),
        }
        Ok(())
    }

    fn argument_name(&mut self, input: ParseStream<'_>, place: Place) -> syn::Result<Ident> {
        Ident::parse_any(input).map_err(|error| {
            self.action_attempted |= input.peek(LitStr);
            let message = match place {
                Place::Call => EXPRESSION.to_owned(),
                Place::Implementation => format!("expected an argument such as `{}`", forms::PREFIX_FORM),
                Place::Function | Place::Method => format!("expected an argument such as `{}`", forms::ACTION_FORM),
            };
            syn::Error::new(error.span(), message)
        })
    }

    fn unknown(&mut self, name: &Ident, text: &str, place: Place, input: ParseStream<'_>) -> syn::Result<()> {
        let closest = errors::closest(text, forms::allowed(place));
        self.action_attempted |= matches!(closest, Some("action" | "prefix" | "exempt"));
        let suggestion = errors::did_you_mean(text, forms::allowed(place));
        let allowed = errors::list(forms::allowed(place));
        let mut message = format!("unknown argument `{text}`; the arguments are {allowed}{suggestion}");
        let is_value = input.peek(syn::Token![=]);
        value::skip_to_comma(input);
        if place == Place::Call && input.is_empty() && !is_value && closest.is_none() {
            message = EXPRESSION.to_owned();
        }
        Err(syn::Error::new(name.span(), message))
    }

    /// Tells whether an argument was given, and be it with a mistake in it.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// Returns the name of an argument, where it was given.
    pub(crate) fn given(&self, name: &str) -> Option<&Ident> {
        self.given.iter().find(|given| *given == name)
    }

    /// Returns those of some arguments that were given, in the order in which they were.
    pub(crate) fn given_of(&self, names: &[&str]) -> impl Iterator<Item = &Ident> {
        self.given.iter().filter(move |given| names.iter().any(|name| *given == name))
    }

    /// Returns the given arguments except some.
    pub(crate) fn given_beside(&self, names: &[&str]) -> impl Iterator<Item = &Ident> {
        self.given.iter().filter(move |given| !names.iter().any(|name| *given == name))
    }

    /// Takes what was not given from the arguments of the `impl` around the method.
    pub(crate) fn or(mut self, defaults: &Self) -> Self {
        self.effect = self.effect.or(defaults.effect);
        self.level = self.level.or(defaults.level);
        self.telemetry = self.telemetry.or(defaults.telemetry);
        self.stages = self.stages.or(defaults.stages);
        self.durability = self.durability.or(defaults.durability);
        self.append_timeout_ms = self.append_timeout_ms.or(defaults.append_timeout_ms);
        self.on_unavailable = self.on_unavailable.or_else(|| defaults.on_unavailable.clone());
        self.root = self.root.or_else(|| defaults.root.clone());
        self
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Text(text) => text.to_tokens(tokens),
            Self::Constant(path) => path.to_tokens(tokens),
        }
    }
}

/// Tells whether an argument with a name follows.
fn is_named(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && (input.peek2(syn::Token![=]) || input.peek2(syn::token::Paren))
}

const EXPRESSION: &str = "expected an argument such as `effect = \"read\"`, or what is recorded: a block, an async block or a \
    closure";
