//! The arguments of the attribute, as written: each is parsed on its own, none is held against the function yet.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, ExprClosure, ExprLit, Lit, LitStr, Token, bracketed, parenthesized, token};

use crate::errors::{self, Errors};
use crate::path::Path;
use crate::words::{Durability, Effect, Level, Stages, Unavailable, Word};

/// What was written in the attribute.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) action: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) effect: Option<Effect>,
    pub(crate) level: Option<Level>,
    pub(crate) stages: Option<(Stages, Span)>,
    pub(crate) durability: Option<Durability>,
    pub(crate) on_unavailable: Option<OnUnavailable>,
    pub(crate) redact: Vec<Path>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) targets: Vec<Target>,
    pub(crate) root: Option<syn::Path>,
    /// An `action` was attempted; that it is missing would be a second error for the same mistake.
    pub(crate) action_attempted: bool,
    given: Vec<String>,
}

/// What happens to a call that cannot be recorded.
pub(crate) enum OnUnavailable {
    Word(Unavailable),
    Closure(Box<ExprClosure>),
}

/// What a call acts on: `target(type = "order", id = order)`.
pub(crate) struct Target {
    pub(crate) kind: LitStr,
    pub(crate) id: Expr,
}

/// Parses the arguments; every mistake goes to `errors`, and what could be parsed is returned.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let parser = |input: ParseStream<'_>| {
        each_element(input, errors, |input, errors| args.argument(input, errors));
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    args
}

impl Args {
    fn argument(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        let name = self.argument_name(input)?;
        let text = name.unraw().to_string();
        if text != "target" {
            if self.given.contains(&text) {
                return skip_value(input, syn::Error::new(name.span(), format!("`{text}` is given twice")));
            }
            self.given.push(text.clone());
        }
        match text.as_str() {
            "action" => {
                self.action_attempted = true;
                self.action = Some(string(&name, input)?);
            }
            "name" => self.name = Some(string(&name, input)?),
            "effect" => self.effect = Some(word(&name, input)?.0),
            "level" => self.level = Some(word(&name, input)?.0),
            "stages" => self.stages = Some(word(&name, input)?),
            "durability" => self.durability = Some(word(&name, input)?.0),
            "on_unavailable" => self.on_unavailable = Some(on_unavailable(&name, input)?),
            "redact" => self.redact = redact(&name, input, errors)?,
            "skip" => self.skip = skip(&name, input, errors)?,
            "target" => self.targets.extend(target(&name, input, errors)?),
            "crate" => self.root = Some(root(&name, input)?),
            _ => return self.unknown(&name, &text, input),
        }
        Ok(())
    }

    fn argument_name(&mut self, input: ParseStream<'_>) -> syn::Result<Ident> {
        Ident::parse_any(input).map_err(|error| {
            self.action_attempted |= input.peek(LitStr);
            syn::Error::new(error.span(), format!("expected an argument such as `{ACTION_FORM}`"))
        })
    }

    fn unknown(&mut self, name: &Ident, text: &str, input: ParseStream<'_>) -> syn::Result<()> {
        self.action_attempted |= errors::closest(text, ARGUMENTS) == Some("action");
        let suggestion = errors::did_you_mean(text, ARGUMENTS);
        let message = format!("unknown argument `{text}`; the arguments are {}{suggestion}", errors::list(ARGUMENTS));
        skip_value(input, syn::Error::new(name.span(), message))
    }
}

fn string(name: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let value = value(name, input)?;
    match ungrouped(&value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        _ => Err(syn::Error::new_spanned(value, format!("`{name}` is a text in quotes: `{}`", form(name)))),
    }
}

/// Parses one of a set of words, and returns where it stands.
fn word<W: Word>(name: &Ident, input: ParseStream<'_>) -> syn::Result<(W, Span)> {
    let value = value(name, input)?;
    let text = written(&value);
    if let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = ungrouped(&value)
        && let Some(word) = W::parse(&text)
    {
        return Ok((word, literal.span()));
    }
    Err(not_a_word::<W>(name, &value, &text, ""))
}

fn not_a_word<W: Word>(name: &Ident, value: &Expr, text: &str, alternative: &str) -> syn::Error {
    let suggestion = match W::parse(text) {
        Some(_) => format!("; did you mean `{text:?}`, in quotes?"),
        None => errors::closest(text, W::ALL.iter().map(|(word, _)| *word))
            .map_or_else(String::new, |word| format!("; did you mean `{word:?}`?")),
    };
    syn::Error::new_spanned(value, format!("the values of `{name}` are {}{alternative}{suggestion}", W::allowed()))
}

fn on_unavailable(name: &Ident, input: ParseStream<'_>) -> syn::Result<OnUnavailable> {
    let value = value(name, input)?;
    let text = written(&value);
    match ungrouped(&value) {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(OnUnavailable::Closure(Box::new(closure.clone()))),
        Expr::Closure(closure) => Err(syn::Error::new_spanned(
            closure,
            "the closure of `on_unavailable` takes one parameter, the `Unavailable`, and returns what the function returns",
        )),
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) if Unavailable::parse(&text).is_some() => {
            Ok(OnUnavailable::Word(Unavailable::parse(&text).unwrap_or(Unavailable::Deny)))
        }
        _ => Err(not_a_word::<Unavailable>(name, &value, &text, ", or a closure such as `|unavailable| …`")),
    }
}

fn redact(name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Path>> {
    if !(input.peek(Token![=]) && input.peek2(token::Bracket)) {
        return wrong_form(name, input);
    }
    input.parse::<Token![=]>()?;
    let content;
    bracketed!(content in input);
    let mut paths = Vec::new();
    each_element(&content, errors, |input, _| {
        paths.push(input.parse()?);
        Ok(())
    });
    Ok(paths)
}

fn skip(name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Ident>> {
    let content;
    if input.peek(token::Paren) {
        parenthesized!(content in input);
    } else if input.peek(Token![=]) && input.peek2(token::Bracket) {
        input.parse::<Token![=]>()?;
        bracketed!(content in input);
    } else {
        return wrong_form(name, input);
    }
    let mut names = Vec::new();
    each_element(&content, errors, |input, _| {
        let parameter = Ident::parse_any(input)
            .map_err(|error| syn::Error::new(error.span(), "expected the name of a parameter"))?;
        names.push(parameter);
        Ok(())
    });
    Ok(names)
}

fn target(name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<Target>> {
    if !input.peek(token::Paren) {
        return wrong_form(name, input);
    }
    let content;
    parenthesized!(content in input);
    let mut given = Vec::new();
    let (mut kind, mut id) = (None, None);
    each_element(&content, errors, |input, _| {
        let part = Ident::parse_any(input)
            .map_err(|error| syn::Error::new(error.span(), format!("expected `{TARGET_FORM}`")))?;
        let text = part.unraw().to_string();
        if given.contains(&text) {
            return skip_value(input, syn::Error::new(part.span(), format!("`{text}` is given twice")));
        }
        given.push(text.clone());
        match text.as_str() {
            "type" => kind = Some(string(&part, input)?),
            "id" => id = Some(value(&part, input)?),
            _ => {
                let suggestion = errors::did_you_mean(&text, TARGET_ARGUMENTS);
                let message =
                    format!("unknown argument `{text}`; the arguments of `target` are `type` and `id`{suggestion}");
                return skip_value(input, syn::Error::new(part.span(), message));
            }
        }
        Ok(())
    });
    // A part that was attempted has had its own error, and an unknown one is most likely the missing one.
    if given.len() < 2
        && let Some(missing) = TARGET_ARGUMENTS.iter().find(|part| !given.iter().any(|name| name == *part))
    {
        errors.on(name, format!("`target` lacks its `{missing}`: `{TARGET_FORM}`"));
    }
    Ok(kind.zip(id).map(|(kind, id)| Target { kind, id }))
}

fn root(name: &Ident, input: ParseStream<'_>) -> syn::Result<syn::Path> {
    if !input.peek(Token![=]) {
        return wrong_form(name, input);
    }
    let equals = input.parse::<Token![=]>()?;
    input.call(syn::Path::parse_mod_style).map_err(|error| {
        let place = if input.is_empty() { equals.span } else { error.span() };
        syn::Error::new(place, format!("`crate` is a path: `{}`", form(name)))
    })
}

/// Parses `= expression`.
fn value(name: &Ident, input: ParseStream<'_>) -> syn::Result<Expr> {
    if !input.peek(Token![=]) {
        return wrong_form(name, input);
    }
    let equals = input.parse::<Token![=]>()?;
    // The fork keeps what a mistake leaves unparsed inside parentheses from being reported as a second one.
    let ahead = input.fork();
    let value = ahead.parse().map_err(|error| {
        let place = if input.is_empty() { equals.span } else { error.span() };
        syn::Error::new(place, format!("expected a value: `{}`", form(name)))
    })?;
    input.advance_to(&ahead);
    Ok(value)
}

fn wrong_form<T>(name: &Ident, input: ParseStream<'_>) -> syn::Result<T> {
    let message = format!("`{name}` is written `{}`", form(name));
    skip_value(input, syn::Error::new(name.span(), message))
}

/// Returns what an argument looks like.
fn form(name: &Ident) -> &'static str {
    let name = name.unraw();
    FORMS.iter().find(|(argument, _)| name == argument).map_or("", |(_, form)| form)
}

/// Returns the text of a literal, or the word that was probably meant as one.
fn written(value: &Expr) -> String {
    match ungrouped(value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        other => other.to_token_stream().to_string(),
    }
}

/// Looks through the invisible groups in which a macro passes on its own parameters.
fn ungrouped(mut value: &Expr) -> &Expr {
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    value
}

/// Parses the elements of a comma-separated list; a mistake in one of them costs no other.
fn each_element(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut element: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        match element(input, errors) {
            Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
            Ok(()) => errors.push(input.error("expected `,`")),
            Err(error) => errors.push(error),
        }
        skip_to_comma(input);
        if !input.is_empty() && input.parse::<Token![,]>().is_err() {
            return;
        }
    }
}

/// Passes over the rest of an element, and fails with `error`.
fn skip_value<T>(input: ParseStream<'_>, error: syn::Error) -> syn::Result<T> {
    skip_to_comma(input);
    Err(error)
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
}

const ARGUMENTS: [&str; 11] = [
    "action",
    "name",
    "effect",
    "level",
    "stages",
    "durability",
    "on_unavailable",
    "redact",
    "skip",
    "target",
    "crate",
];
const TARGET_ARGUMENTS: [&str; 2] = ["type", "id"];

const ACTION_FORM: &str = "action = \"order.refund\"";
const TARGET_FORM: &str = "target(type = \"order\", id = order.id)";
const FORMS: [(&str, &str); 13] = [
    ("action", ACTION_FORM),
    ("name", "name = \"refund\""),
    ("effect", "effect = \"read\" | \"write\" | \"destructive\""),
    ("level", "level = \"metadata\" | \"request\" | \"request_response\""),
    ("stages", "stages = \"started_completed\" | \"completed\""),
    ("durability", "durability = \"os\" | \"disk\""),
    ("on_unavailable", "on_unavailable = \"deny\" | \"count\" | \"panic\" | |unavailable| …"),
    ("redact", "redact = [card, customer.ssn]"),
    ("skip", "skip(first, second)"),
    ("target", TARGET_FORM),
    ("crate", "crate = path::to::audited"),
    ("type", "type = \"order\""),
    ("id", "id = order.id"),
];
