//! What `#[async_trait]` makes of an `async fn`: a function that is nothing but a boxed `async move` block.
//!
//! Where that is certain, the call begins at the first poll, as that of an `async fn` does, in the context that is at
//! work then. Any other function that returns a future may do something before it does.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};

use super::call::awaited;
use crate::model::Function;
use crate::tokens::{is_ident, is_punct, spanned_block};
use crate::valid::Audited;

/// The lifetime by which the signature is known.
const LIFETIME: &str = "async_trait";

/// `Box::pin(async move { … })`
pub(super) struct Transformed {
    /// `Box::pin`
    pin: TokenStream,
    arguments: Span,
    block: Group,
}

impl Transformed {
    /// Finds the block, if the function is what `#[async_trait]` makes of one.
    pub(super) fn of(function: &Function) -> Option<Self> {
        if !names_lifetime(function.signature.output.to_token_stream()) {
            return None;
        }
        let mut body: Vec<TokenTree> = function.body.stream().into_iter().collect();
        let Some(TokenTree::Group(arguments)) = body.pop() else { return None };
        let is_path = body.iter().all(|token| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':'));
        if arguments.delimiter() != Delimiter::Parenthesis || !is_path || !is_ident(body.last()?, "pin") {
            return None;
        }
        let future: Vec<TokenTree> = arguments.stream().into_iter().collect();
        match future.as_slice() {
            [first, second, TokenTree::Group(block)]
                if is_ident(first, "async") && is_ident(second, "move") && block.delimiter() == Delimiter::Brace =>
            {
                let pin = body.into_iter().collect();
                Some(Self { pin, arguments: arguments.span(), block: block.clone() })
            }
            _ => None,
        }
    }

    /// Writes the block with the protocol of an async call around what was in it.
    pub(super) fn expand(&self, audited: &Audited, place: TokenStream) -> TokenStream {
        let Self { pin, arguments, block } = self;
        let moves = quote_spanned!(Span::mixed_site()=> move);
        let content = awaited(block, Some(moves), None, audited, place);
        let block = spanned_block(content, block.span());
        let future = quote_spanned!(Span::mixed_site()=> async move #block);
        let mut call = Group::new(Delimiter::Parenthesis, future);
        call.set_span(*arguments);
        quote!(#pin #call)
    }
}

fn names_lifetime(tokens: TokenStream) -> bool {
    let mut after_quote = false;
    tokens.into_iter().any(|token| {
        let found = match &token {
            TokenTree::Group(group) => names_lifetime(group.stream()),
            token => after_quote && is_ident(token, LIFETIME),
        };
        after_quote = is_punct(&token, '\'');
        found
    })
}
