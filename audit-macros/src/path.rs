//! Redaction paths: `customer.ssn?`, `items[].token`, `accounts.*.iban`, `customer."card-number"`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::buffer::Cursor;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Lit, LitStr, Token, bracketed, token};

/// One path of `redact`, as written.
#[derive(Clone)]
pub(crate) struct Path {
    /// The parameter, `return` or `error`.
    pub(crate) first: Ident,
    pub(crate) segments: Vec<Segment>,
    tokens: TokenStream,
}

/// One step into a value.
#[derive(Clone)]
pub(crate) enum Segment {
    /// `.key`, `."key"`, and with `?` a key that may be absent.
    Key { name: String, optional: bool },
    /// `.*`: the value of every key.
    Any,
    /// `[]`: every element of a list or tuple.
    Each,
}

impl Path {
    /// Makes the path of a whole parameter.
    pub(crate) fn of_parameter(name: &Ident) -> Self {
        Self { first: name.clone(), segments: Vec::new(), tokens: name.to_token_stream() }
    }

    /// Returns the path in its one spelling: no white space, keys in quotes only where they need them, and no `?`, which
    /// says nothing about what the path addresses.
    pub(crate) fn text(&self) -> String {
        let mut text = self.first.unraw().to_string();
        text.extend(self.segments.iter().map(Segment::text));
        text
    }

    /// Tells whether both address the same values; that one of them allows for a missing key makes no difference.
    pub(crate) fn addresses_same_as(&self, other: &Self) -> bool {
        self.first == other.first && self.text() == other.text()
    }
}

/// One path of `summary`, as written: it begins inside the result.
pub(crate) struct SummaryPath {
    pub(crate) segments: Vec<Segment>,
    tokens: TokenStream,
}

impl SummaryPath {
    /// Returns the path in its one spelling.
    pub(crate) fn text(&self) -> String {
        let text: String = self.segments.iter().map(Segment::text).collect();
        text.strip_prefix('.').map_or_else(|| text.clone(), str::to_owned)
    }
}

impl Parse for SummaryPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let begin = input.cursor();
        if input.peek(Token![return]) {
            return Err(input.error("a path of `summary` begins inside the result: leave out `return`"));
        }
        let first = if input.peek(token::Bracket) { each(input)? } else { first_key(input)? };
        let mut segments = vec![first];
        while !input.is_empty() && !input.peek(Token![,]) {
            segments.push(input.parse()?);
        }
        let tokens = between(begin, input.cursor());
        Ok(Self { segments, tokens })
    }
}

fn first_key(input: ParseStream<'_>) -> syn::Result<Segment> {
    let name = key(input).map_err(|error| {
        syn::Error::new(error.span(), "expected a path into the result, such as `id` or `lines[].sku`")
    })?;
    let optional = input.parse::<Option<Token![?]>>()?.is_some();
    Ok(Segment::Key { name, optional })
}

impl ToTokens for SummaryPath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.clone());
    }
}

impl Segment {
    fn text(&self) -> String {
        match self {
            Self::Any => ".*".to_owned(),
            Self::Each => "[]".to_owned(),
            Self::Key { name, .. } if is_plain(name) => format!(".{name}"),
            Self::Key { name, .. } => format!(".{name:?}"),
        }
    }
}

/// Tells whether a key can be written without quotes.
fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

impl Parse for Path {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let begin = input.cursor();
        let first = Ident::parse_any(input).map_err(|error| {
            syn::Error::new(error.span(), "expected a path that begins with a parameter, `return` or `error`")
        })?;
        // Allowed for the symmetry with keys: a parameter is always there.
        input.parse::<Option<Token![?]>>()?;
        let mut segments = Vec::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            segments.push(input.parse()?);
        }
        let tokens = between(begin, input.cursor());
        Ok(Self { first, segments, tokens })
    }
}

impl Parse for Segment {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(token::Bracket) {
            return each(input);
        }
        if input.peek(Token![-]) {
            return Err(
                input.error("a key that is no identifier is written in quotes, as in `customer.\"card-number\"`")
            );
        }
        if input.peek(Token![?]) {
            return Err(input.error("`?` follows a key that may be absent, as in `customer.ssn?`"));
        }
        if !input.peek(Token![.]) {
            return Err(input.error("expected `.key`, `.\"key\"`, `.*`, `[]` or `,`"));
        }
        input.parse::<Token![.]>()?;
        if input.peek(Token![*]) {
            input.parse::<Token![*]>()?;
            return Ok(Self::Any);
        }
        let name = key(input)?;
        let optional = input.parse::<Option<Token![?]>>()?.is_some();
        Ok(Self::Key { name, optional })
    }
}

/// Returns the tokens from one place of a stream to a later one.
pub(crate) fn between(begin: Cursor<'_>, end: Cursor<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut cursor = begin;
    while cursor != end {
        let Some((token, next)) = cursor.token_tree() else { break };
        tokens.extend([token]);
        cursor = next;
    }
    tokens
}

fn each(input: ParseStream<'_>) -> syn::Result<Segment> {
    let inside;
    let bracket = bracketed!(inside in input);
    if inside.is_empty() {
        return Ok(Segment::Each);
    }
    inside.parse::<TokenStream>()?;
    Err(syn::Error::new(bracket.span.join(), EACH))
}

fn key(input: ParseStream<'_>) -> syn::Result<String> {
    if input.peek(LitStr) {
        return Ok(input.parse::<LitStr>()?.value());
    }
    if input.peek(Lit) && !input.peek(syn::LitBool) {
        let literal: Lit = input.parse()?;
        let number = matches!(literal, Lit::Int(_) | Lit::Float(_));
        return Err(syn::Error::new_spanned(literal, if number { EACH } else { KEY }));
    }
    match Ident::parse_any(input) {
        Ok(name) => Ok(name.unraw().to_string()),
        Err(error) => Err(syn::Error::new(error.span(), KEY)),
    }
}

impl ToTokens for Path {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.clone());
    }
}

const EACH: &str =
    "elements have no numbers in a path: lists and tuples are addressed by `[]`, which means each element";
const KEY: &str = "expected a key after `.`: `.key`, `.\"key\"` or `.*`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for (written, text) in [
            ("card", "card"),
            ("customer . ssn", "customer.ssn"),
            ("customer.\"ssn\" ?", "customer.ssn"),
            ("card?", "card"),
            ("customer.\"card-number\"", "customer.\"card-number\""),
            ("customer.\"a\\\"b\"", "customer.\"a\\\"b\""),
            ("items [ ] . token", "items[].token"),
            ("rows[][].*.r#type", "rows[][].*.type"),
            ("return.true", "return.true"),
        ] {
            let path: Path = syn::parse_str(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(path.text(), text, "{written}");
        }
    }
}
