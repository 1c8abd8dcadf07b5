//! How something is removed: `card`, `mask(card, last_four)`, `token(email)`, `seal(customer.name, subject = customer.id)`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Token, parenthesized, token};

use crate::errors;
use crate::path::{Path, between};

/// The ways of removal.
#[derive(Clone)]
pub(crate) enum Method {
    /// It is left out.
    Drop,
    /// It is masked, but for the last four characters where that is said.
    Mask { last_four: bool },
    /// A keyed digest stands in its place.
    Token,
    /// It is sealed for a subject: the one at the path, or the user on whose behalf the agent acts.
    Seal(Option<Path>),
}

/// One element of `redact`.
pub(crate) struct Removal {
    pub(crate) path: Path,
    pub(crate) method: Method,
    tokens: TokenStream,
}

impl Removal {
    /// Makes what a mark on a parameter says.
    pub(crate) fn of_parameter(name: &Ident, method: Method) -> Self {
        let path = Path::of_parameter(name);
        Self { tokens: path.to_token_stream(), path, method }
    }
}

impl Parse for Removal {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let begin = input.cursor();
        if !(input.peek(Ident::peek_any) && input.peek2(token::Paren)) {
            let path: Path = input.parse()?;
            return Ok(Self { tokens: path.to_token_stream(), path, method: Method::Drop });
        }
        let word = Ident::parse_any(input)?;
        let content;
        parenthesized!(content in input);
        let path = content.parse()?;
        let method = Method::with(&word, &content)?;
        Ok(Self { path, method, tokens: between(begin, input.cursor()) })
    }
}

impl Method {
    /// Parses what a mark says behind its word: nothing, or what the method takes, in parentheses.
    pub(crate) fn of_mark(word: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(token::Paren) {
            return Self::named(word, None, None);
        }
        let content;
        parenthesized!(content in input);
        Self::option(word, &content)
    }

    /// Parses what follows the path: `, last_four`, `, subject = customer.id`, or nothing.
    fn with(word: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse::<Option<Token![,]>>()?;
        Self::option(word, input)
    }

    fn option(word: &Ident, input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Self::named(word, None, None);
        }
        let option = Ident::parse_any(input).map_err(|error| wrong(word, error.span()))?;
        let subject = if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            let rest: TokenStream = input.parse()?;
            return Err(syn::Error::new_spanned(&rest, form_of(word)));
        }
        Self::named(word, Some(&option), subject)
    }

    fn named(word: &Ident, option: Option<&Ident>, value: Option<Path>) -> syn::Result<Self> {
        let text = word.unraw().to_string();
        let given = option.map(|option| option.unraw().to_string());
        match (text.as_str(), given.as_deref(), value) {
            ("drop" | "redact", None, None) => Ok(Self::Drop),
            ("mask", None, None) => Ok(Self::Mask { last_four: false }),
            ("mask", Some("last_four"), None) => Ok(Self::Mask { last_four: true }),
            ("token", None, None) => Ok(Self::Token),
            ("seal", None, None) => Ok(Self::Seal(None)),
            ("seal", Some("subject"), Some(subject)) => Ok(Self::Seal(Some(subject))),
            _ if !METHODS.contains(&text.as_str()) && text != "redact" => {
                let suggestion = errors::did_you_mean(&text, METHODS);
                let message = format!(
                    "unknown method `{text}`; a value is removed by {}{suggestion}",
                    errors::list(METHODS.iter().copied())
                );
                Err(syn::Error::new(word.span(), message))
            }
            _ => Err(wrong(word, option.unwrap_or(word).span())),
        }
    }
}

impl ToTokens for Removal {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.clone());
    }
}

fn wrong(word: &Ident, span: proc_macro2::Span) -> syn::Error {
    syn::Error::new(span, form_of(word))
}

fn form_of(word: &Ident) -> &'static str {
    match word.unraw().to_string().as_str() {
        "mask" => "`mask` takes nothing but `last_four`: `mask(card, last_four)`",
        "seal" => {
            "`seal` takes whose value it is, or nothing for the user on whose behalf the agent acts: `seal(name, subject = customer.id)`"
        }
        "token" => "`token` takes nothing but what is removed: `token(email)`",
        _ => "`drop` takes nothing but what is removed: `drop(card)`, or simply `card`",
    }
}

const METHODS: [&str; 4] = ["drop", "mask", "token", "seal"];
