//! `call!`: its arguments and its body.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::parse::{ParseStream, Parser as _};

use crate::args::{Args, Name, OnUnavailable};
use crate::errors::Errors;
use crate::expand;
use crate::model::{Body, is_body};
use crate::tokens::ungrouped;
use crate::valid::{self, Audited, Subject};

/// Expands `call!`; empty if there is a mistake in it.
pub(crate) fn expand(input: TokenStream, errors: &mut Errors) -> TokenStream {
    let parser = |input: ParseStream<'_>| {
        let args = Args::parse_before(input, is_body, errors);
        let end = input.span();
        let rest: TokenStream = input.parse()?;
        Ok((args, rest, end))
    };
    let (args, rest, end) = match parser.parse2(ungrouped(input)) {
        Ok(parsed) => parsed,
        Err(error) => {
            errors.push(error);
            return TokenStream::new();
        }
    };
    let place = args.action.as_ref().map_or_else(|| quote_spanned!(Span::call_site()=> call), Name::to_token_stream);
    let body = if rest.is_empty() {
        // One that was attempted has had its own error.
        if errors.is_empty() {
            errors.at(end, NO_BODY);
        }
        None
    } else {
        Body::parse(rest, errors).map_err(|error| errors.push(error)).ok()
    };
    let (body, parameters) = match body {
        Some(Body::Closure(mut closure)) => {
            let parameters = std::mem::take(&mut closure.parameters);
            (Some(Body::Closure(closure)), parameters)
        }
        other => (other, Vec::new()),
    };
    let subject = Subject { parameters, tool: None, effect: None, generics: Vec::new(), line: None };
    let validated = valid::validate(args, subject, errors);
    // What its closure uses of the surroundings is not known: it runs before the body takes any of them.
    let audited =
        Audited { refuses_at_once: matches!(validated.on_unavailable, OnUnavailable::Closure(_)), ..validated };
    match body {
        Some(body) if errors.is_empty() => expand::call(&body, &audited, place),
        _ => TokenStream::new(),
    }
}

const NO_BODY: &str = "the body is missing: `call!` records a block, an async block or a closure, its last argument";
