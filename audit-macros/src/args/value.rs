//! The values of arguments: texts, words, closures, and lists in which a mistake costs no other element.

use proc_macro2::{Ident, Span, TokenTree};
use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::{Expr, ExprClosure, ExprLit, Lit, LitStr, Token, token};

use super::forms::form;
use super::{Boxed, Name, OnUnavailable};
use crate::errors::{self, Errors};
use crate::words::{Unavailable, Word};

pub(crate) fn string(name: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let value = value(name, input)?;
    match ungrouped(&value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        _ => Err(syn::Error::new_spanned(value, format!("`{name}` is a text in quotes: `{}`", form(name)))),
    }
}

/// Parses a text, or the path of a constant that is one.
pub(super) fn text(name: &Ident, input: ParseStream<'_>) -> syn::Result<Name> {
    let value = value(name, input)?;
    text_of(name, &value)
}

pub(super) fn text_of(name: &Ident, value: &Expr) -> syn::Result<Name> {
    match ungrouped(value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(Name::Text(text.clone())),
        Expr::Path(path) if path.qself.is_none() && is_constant(&path.path) => Ok(Name::Constant(path.path.clone())),
        _ => {
            let message = format!("`{name}` is a text in quotes or the path of a constant: `{}`", form(name));
            Err(syn::Error::new_spanned(value, message))
        }
    }
}

/// Tells whether a path may be that of a constant; a word in lower case is rather a text without its quotes.
fn is_constant(path: &syn::Path) -> bool {
    path.get_ident().is_none_or(|word| !word.to_string().starts_with(char::is_lowercase))
}

/// Parses one of a set of words, and returns where it stands.
pub(super) fn word<W: Word>(name: &Ident, input: ParseStream<'_>) -> syn::Result<(W, Span)> {
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

pub(super) fn on_unavailable(name: &Ident, input: ParseStream<'_>) -> syn::Result<OnUnavailable> {
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

/// Parses a number of milliseconds, and returns where it stands.
pub(super) fn milliseconds(name: &Ident, input: ParseStream<'_>) -> syn::Result<(u64, Span)> {
    let value = value(name, input)?;
    if let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = ungrouped(&value)
        && number.suffix().is_empty()
        && let Ok(milliseconds) = number.base10_parse()
        && milliseconds <= MILLISECONDS_MAX
    {
        return Ok((milliseconds, number.span()));
    }
    let message =
        format!("`{name}` is a whole number of milliseconds, at most {MILLISECONDS_MAX} (a day): `{}`", form(name));
    Err(syn::Error::new_spanned(value, message))
}

/// Parses a closure that is handed the result.
pub(super) fn closure(name: &Ident, input: ParseStream<'_>) -> syn::Result<ExprClosure> {
    let value = value(name, input)?;
    match ungrouped(&value) {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(closure.clone()),
        Expr::Closure(closure) => {
            let message = format!("the closure of `{name}` takes one parameter, a reference to the result");
            Err(syn::Error::new_spanned(closure, message))
        }
        _ => Err(syn::Error::new_spanned(value, format!("`{name}` is a closure: `{}`", form(name)))),
    }
}

pub(super) fn boxed(name: &Ident, input: ParseStream<'_>) -> syn::Result<Boxed> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Boxed::Send);
    }
    let value = value(name, input)?;
    match ungrouped(&value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "local" => Ok(Boxed::Local),
        _ => Err(syn::Error::new_spanned(value, format!("`{name}` is written `{}`", form(name)))),
    }
}

pub(super) fn root(name: &Ident, input: ParseStream<'_>) -> syn::Result<syn::Path> {
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
pub(super) fn value(name: &Ident, input: ParseStream<'_>) -> syn::Result<Expr> {
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

pub(super) fn wrong_form<T>(name: &Ident, input: ParseStream<'_>) -> syn::Result<T> {
    let message = format!("`{name}` is written `{}`", form(name));
    skip_value(input, syn::Error::new(name.span(), message))
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
pub(crate) fn each_element(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut parse: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let parsed = parse(input, errors);
        if !end_of_element(parsed, input, errors) {
            return;
        }
    }
}

/// Reports the mistake of an element and passes over its comma; tells whether another may follow.
pub(super) fn end_of_element(parsed: syn::Result<()>, input: ParseStream<'_>, errors: &mut Errors) -> bool {
    match parsed {
        Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
        Ok(()) => errors.push(input.error("expected `,`")),
        Err(error) => errors.push(error),
    }
    skip_to_comma(input);
    input.is_empty() || input.parse::<Token![,]>().is_ok()
}

/// Passes over the rest of an element, and fails with `error`.
pub(crate) fn skip_value<T>(input: ParseStream<'_>, error: syn::Error) -> syn::Result<T> {
    skip_to_comma(input);
    Err(error)
}

pub(super) fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
}

/// Tells whether a list in parentheses begins here.
pub(super) fn is_list(input: ParseStream<'_>) -> bool {
    input.peek(token::Paren)
}

/// A day.
const MILLISECONDS_MAX: u64 = 86_400_000;
