//! The arguments that are lists: `redact`, `summary`, `skip`, `only`, `fields`, `target` and `exempt`.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Token, bracketed, parenthesized, token};

use super::forms::{FIELDS_FORM, TARGET_FORM};
use super::value::{each_element, is_list, skip_value, string, value, wrong_form};
use super::{Field, Target};
use crate::errors::{self, Errors};

/// Parses `= [path, path]`.
pub(super) fn paths<P: Parse>(name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<P>> {
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

/// Parses `(a, b)` or `= [a, b]`.
pub(super) fn parameters(name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Ident>> {
    let content;
    if is_list(input) {
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

/// Parses `(tenant = self.tenant, region, "order.id" = order.id)`.
pub(super) fn fields(name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Field>> {
    if !is_list(input) {
        return wrong_form(name, input);
    }
    let content;
    parenthesized!(content in input);
    let mut fields = Vec::new();
    each_element(&content, errors, |input, _| {
        fields.push(field(input)?);
        Ok(())
    });
    Ok(fields)
}

fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    if input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        let label = Ident::new("fields", name.span());
        return Ok(Field { value: value(&label, input)?, name });
    }
    let expected = |error: syn::Error| syn::Error::new(error.span(), format!("expected `{FIELDS_FORM}`"));
    let first = input.call(Ident::parse_any).map_err(expected)?;
    let (mut name, mut last) = (first.unraw().to_string(), first.clone());
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        last = input.call(Ident::parse_any).map_err(expected)?;
        name.push('.');
        name.push_str(&last.unraw().to_string());
    }
    if input.peek(Token![=]) {
        let label = Ident::new("fields", first.span());
        return Ok(Field { value: value(&label, input)?, name: LitStr::new(&name, first.span()) });
    }
    if name.contains('.') || first == "self" {
        let message = format!("the value lacks its name: `{} = {name}`", last.unraw());
        return skip_value(input, syn::Error::new(first.span(), message));
    }
    let value: Expr = syn::parse_quote!(#first);
    Ok(Field { name: LitStr::new(&name, first.span()), value })
}

/// Parses `("reason")`.
pub(super) fn reason(name: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    if !is_list(input) {
        return wrong_form(name, input);
    }
    let content;
    let parentheses = parenthesized!(content in input);
    let reason = content.parse::<LitStr>().ok().filter(|_| content.is_empty());
    // What is left inside would be a second error for the same mistake.
    content.parse::<proc_macro2::TokenStream>()?;
    let Some(reason) = reason else {
        return Err(syn::Error::new(parentheses.span.join(), EMPTY_REASON));
    };
    let value = reason.value();
    if value.trim().is_empty() {
        Err(syn::Error::new(reason.span(), EMPTY_REASON))
    } else if value.len() > REASON_BYTES_MAX || value.contains(char::is_control) {
        Err(syn::Error::new(reason.span(), format!("a reason is one line of at most {REASON_BYTES_MAX} bytes")))
    } else {
        Ok(reason)
    }
}

/// Parses `(type = "order", id = order.id)`.
pub(super) fn target(name: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<Target>> {
    if !is_list(input) {
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

const TARGET_ARGUMENTS: [&str; 2] = ["type", "id"];
/// A reason stands in one line of the census.
const REASON_BYTES_MAX: usize = 512;
const EMPTY_REASON: &str = "why calls are not recorded is stated in quotes: `exempt(\"it only formats\")`";
