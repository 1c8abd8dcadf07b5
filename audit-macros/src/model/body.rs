//! What stands last in `call!`: a block, an async block or a closure. Only the head of a closure is parsed.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::parse::discouraged::AnyDelimiter as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, BoundLifetimes, Pat, ReturnType, Token, Type};

use super::parameters::{self, Parameter};
use crate::errors::Errors;
use crate::path::between;
use crate::tokens::{braced, is_ident, is_punct, spanned_block, ungrouped, without_attributes};

/// The body of `call!`.
pub(crate) enum Body {
    Block(Group),
    /// `async {…}` or `async move {…}`.
    Async {
        head: TokenStream,
        moves: bool,
        block: Group,
    },
    Closure(Box<Closure>),
}

/// `async move |order: Order| -> Receipt {…}`
pub(crate) struct Closure {
    /// Everything before the body, as written but for the `#[audit(…)]` of parameters.
    pub(crate) head: TokenStream,
    pub(crate) is_async: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Option<Type>,
    pub(crate) body: Group,
}

/// Tells whether the body begins here.
pub(crate) fn is_body(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let group = ahead.parse_any_delimiter();
    if let Ok((Delimiter::None, _, inside)) = &group {
        return is_body(inside) && inside.parse::<TokenStream>().is_ok();
    }
    matches!(group, Ok((Delimiter::Brace, ..)))
        || input.peek(Token![|])
        || input.peek(Token![||])
        || input.peek(Token![#])
        || ((input.peek(Token![async])
            || input.peek(Token![move])
            || input.peek(Token![unsafe])
            || input.peek(Token![static])
            || input.peek(Token![for]))
            && !input.peek2(Token![=]))
}

impl Body {
    /// Parses what is left of the arguments.
    pub(crate) fn parse(rest: TokenStream, errors: &mut Errors) -> syn::Result<Self> {
        let mut tokens: Vec<TokenTree> = rest.into_iter().collect();
        tokens.pop_if(|last| is_punct(last, ','));
        let tokens = ungrouped(tokens.into_iter().collect());
        let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        match trees.as_slice() {
            [block] if braced(block).is_some() => Ok(Self::Block(braced(block).unwrap_or_else(|| empty(block.span())))),
            [keyword, block] if is_ident(keyword, "unsafe") && braced(block).is_some() => {
                Ok(Self::Block(spanned_block(tokens, block.span().resolved_at(Span::mixed_site()))))
            }
            [head @ .., block] if is_async_block(head) && braced(block).is_some() => Ok(Self::Async {
                head: head.iter().cloned().collect(),
                moves: head.len() > 1,
                block: braced(block).unwrap_or_else(|| empty(block.span())),
            }),
            [block, comma, rest, ..] if braced(block).is_some() && is_punct(comma, ',') => {
                Err(syn::Error::new(rest.span(), COMES_LAST))
            }
            _ => (|input: ParseStream<'_>| closure(input, errors)).parse2(tokens),
        }
    }
}

fn empty(span: Span) -> Group {
    spanned_block(TokenStream::new(), span)
}

fn is_async_block(head: &[TokenTree]) -> bool {
    match head {
        [keyword] => is_ident(keyword, "async"),
        [first, second] => is_ident(first, "async") && is_ident(second, "move"),
        _ => false,
    }
}

fn closure(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    let begin = input.cursor();
    input.call(Attribute::parse_outer)?;
    if input.peek(Token![for]) {
        input.parse::<BoundLifetimes>()?;
    }
    input.parse::<Option<Token![static]>>()?;
    let is_async = input.parse::<Option<Token![async]>>()?.is_some();
    input.parse::<Option<Token![move]>>()?;
    let mut parameters = Vec::new();
    if input.parse::<Option<Token![||]>>()?.is_none() {
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Err(input.error(NO_BODY));
        }
        while !input.peek(Token![|]) {
            parameter(input, &mut parameters, errors)?;
            if input.parse::<Option<Token![,]>>()?.is_none() {
                break;
            }
        }
        input.parse::<Token![|]>()?;
    }
    let output = match input.parse::<ReturnType>()? {
        ReturnType::Type(_, output) => Some(*output),
        ReturnType::Default => None,
    };
    let head = between(begin, input.cursor());
    let head = without_attributes(head.clone(), |meta| meta.path().is_ident("audit")).unwrap_or(head);
    let place = input.span();
    let body = closure_body(input.parse()?, place)?;
    Ok(Body::Closure(Box::new(Closure { head, is_async, parameters, output, body })))
}

fn parameter(input: ParseStream<'_>, found: &mut Vec<Parameter>, errors: &mut Errors) -> syn::Result<()> {
    let attributes = input.call(Attribute::parse_outer)?;
    let pattern = input.call(Pat::parse_single)?;
    if input.parse::<Option<Token![:]>>()?.is_some() {
        input.parse::<Type>()?;
    }
    parameters::of_pattern(&attributes, &pattern, found, errors);
    Ok(())
}

/// Returns the block that a closure's body is, or puts its expression into one.
fn closure_body(tokens: TokenStream, place: Span) -> syn::Result<Group> {
    if tokens.is_empty() {
        return Err(syn::Error::new(place, "the closure has no body"));
    }
    let trees: Vec<TokenTree> = ungrouped(tokens.clone()).into_iter().collect();
    match trees.as_slice() {
        [block] if braced(block).is_some() => Ok(braced(block).unwrap_or_else(|| empty(place))),
        [block, comma, rest, ..] if braced(block).is_some() && is_punct(comma, ',') => {
            Err(syn::Error::new(rest.span(), COMES_LAST))
        }
        _ => Ok(spanned_block(tokens, Span::mixed_site())),
    }
}

const COMES_LAST: &str = "what is recorded comes last: move the other arguments before it";
const NO_BODY: &str = "the last argument of `call!` is what it records: a block, an async block or a closure";
