//! `#[audited(prefix = "orders")] impl Orders { … }`: each method with a body is audited, the rest stays as it was.
//!
//! The block is split by its tokens, not parsed: a method that is half typed costs the others nothing.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::{Generics, LitStr, Meta, ReturnType, Token, Type};

use crate::args::{self, Args, Name, Place};
use crate::errors::Errors;
use crate::model::Function;
use crate::tokens::{
    attribute, braced, is_audited, is_ident, spanned_block, split_inner_attributes, without_attributes, without_marks,
};
use crate::valid::{self, Around};
use crate::{expand, model};
use items::{Item, behind_attributes, items};

mod items;

/// Tells whether an item is an `impl` block.
pub(crate) fn is_one(item: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let start = behind_attributes(&tokens, 0);
    let mut keywords = tokens.iter().skip(start).take(2);
    let keyword = keywords.find(|token| !is_ident(token, "unsafe") && !is_ident(token, "default"));
    keyword.is_some_and(|token| is_ident(token, "impl"))
}

/// Audits the methods of an `impl` block.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream, errors: &mut Errors) -> TokenStream {
    let defaults = args::parse(arguments, Place::Implementation, errors);
    check(&defaults, errors);
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let Some(body) = tokens.last().and_then(braced) else {
        return tokens.into_iter().collect();
    };
    tokens.pop();
    let header: TokenStream = tokens.into_iter().collect();
    let around = Around { generics: generics(&header), line: None };
    let is_valid = errors.is_empty();
    let (inner_attributes, body) = split_inner_attributes(&body);
    let items = items(&body).into_iter().map(|item| match item {
        Item::Function(function) if is_valid => method(function, &defaults, &around, errors),
        Item::Function(function) => without_marks(without_own(function).1),
        Item::Other(other) => other,
    });
    let items: TokenStream = items.collect();
    let body = spanned_block(quote!(#inner_attributes #items), body.span());
    quote!(#header #body)
}

fn check(defaults: &Args, errors: &mut Errors) {
    match &defaults.prefix {
        Some(prefix) => valid::check_name(prefix, "a prefix", errors),
        None if defaults.action_attempted => {}
        None => errors.at(Span::call_site(), NO_PREFIX),
    }
    if let Some(effect) = defaults.effect {
        valid::check_stages(effect, defaults, errors);
        valid::check_append_timeout(effect, defaults, errors);
    }
}

/// Audits one method by its own arguments and those around it; with a mistake in it, it stays as it was.
fn method(item: TokenStream, defaults: &Args, around: &Around, errors: &mut Errors) -> TokenStream {
    let (own, item) = without_own(item);
    let mut found = Errors::default();
    let expanded = expand_method(own, item.clone(), defaults, around, &mut found);
    let is_valid = found.is_empty();
    errors.append(found);
    expanded.filter(|_| is_valid).unwrap_or_else(|| without_marks(item))
}

fn expand_method(
    own: Vec<Meta>,
    item: TokenStream,
    defaults: &Args,
    around: &Around,
    errors: &mut Errors,
) -> Option<TokenStream> {
    let has_own = !own.is_empty();
    let mut args = own_arguments(own, errors);
    // A mistake in the method is the compiler's to report, once, and so is a missing body.
    let mut function = if has_own { parse(item, errors)? } else { model::parse(item, errors).ok()? };
    let line = line(function.signature.ident.span());
    args = args.or(defaults);
    if args.is_given("exempt") {
        let exempt = valid::exempt(args, &function, line, errors)?;
        return Some(expand::expand_exempt(&function, &exempt));
    }
    if !has_own && makes_a_router(&function) {
        errors.on(&function.signature.ident, ROUTER);
    }
    if args.action.is_none() && !args.action_attempted {
        args.action = action(defaults, &function);
    }
    if function.signature.asyncness.is_some() {
        args.boxed = args.boxed.or(defaults.boxed);
    }
    let around = Around { generics: around.generics.clone(), line };
    let audited = valid::function(args, &mut function, around, Place::Method, errors);
    errors.is_empty().then(|| expand::expand(&function, &audited))
}

fn parse(item: TokenStream, errors: &mut Errors) -> Option<Function> {
    model::parse(item, errors).map_err(|error| errors.push(error)).ok()
}

/// Names a method after the prefix.
fn action(defaults: &Args, function: &Function) -> Option<Name> {
    let prefix = defaults.prefix.as_ref()?;
    let method = function.signature.ident.unraw();
    Some(Name::Text(LitStr::new(&format!("{}.{method}", prefix.value()), method.span())))
}

fn own_arguments(own: Vec<Meta>, errors: &mut Errors) -> Args {
    let mut own = own.into_iter();
    let arguments = match own.next() {
        Some(Meta::List(list)) => list.tokens,
        Some(Meta::NameValue(other)) => {
            errors.on(other, "expected the method's own arguments: `#[audited(effect = \"read\")]`");
            TokenStream::new()
        }
        Some(Meta::Path(_)) | None => TokenStream::new(),
    };
    for second in own {
        errors.on(second.path(), "`#[audited]` is given twice");
    }
    args::parse(arguments, Place::Method, errors)
}

/// Tells whether a method is what rmcp's `#[tool_router]` adds: with it the attribute stands below that macro.
fn makes_a_router(function: &Function) -> bool {
    let ReturnType::Type(_, output) = &function.signature.output else { return false };
    let Type::Path(path) = &**output else { return false };
    let is_router = path.path.segments.last().is_some_and(|last| last.ident == "ToolRouter");
    is_router && function.signature.inputs.is_empty()
}

/// Takes a method's own `#[audited]` from it.
fn without_own(item: TokenStream) -> (Vec<Meta>, TokenStream) {
    let tokens: Vec<TokenTree> = item.into_iter().collect();
    let end = behind_attributes(&tokens, 0);
    let (attributes, rest) = tokens.split_at(end);
    let own = attributes.iter().filter_map(|token| match token {
        TokenTree::Group(group) => attribute(group).filter(is_audited),
        _ => None,
    });
    let own: Vec<Meta> = own.collect();
    let attributes: TokenStream = attributes.iter().cloned().collect();
    let kept = without_attributes(attributes.clone(), is_audited).unwrap_or(attributes);
    (own, kept.into_iter().chain(rest.iter().cloned()).collect())
}

/// Returns the generic types of the `impl`, which a `static` in its methods cannot name.
fn generics(header: &TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = header.clone().into_iter().collect();
    let keyword = tokens.iter().position(|token| is_ident(token, "impl"));
    let behind: TokenStream = tokens.into_iter().skip(keyword.map_or(0, |keyword| keyword + 1)).collect();
    let parser = |input: syn::parse::ParseStream<'_>| {
        let generics = if input.peek(Token![<]) { input.parse::<Generics>()? } else { Generics::default() };
        input.parse::<TokenStream>()?;
        Ok(valid::generics(&generics))
    };
    parser.parse2(behind).unwrap_or_default()
}

/// Returns the line of a method: to the compiler's own `line!()` all of an `impl` is on that of the attribute.
fn line(span: Span) -> Option<u32> {
    if !proc_macro::is_available() {
        return None;
    }
    u32::try_from(span.unwrap().line()).ok()
}

const NO_PREFIX: &str = "`prefix` is missing: the methods are named after it, as in `prefix = \"orders\"`, which makes \
    `orders.refund`";
const ROUTER: &str = "this is no tool, but makes the router: put `#[audited(prefix = …)]` above `#[tool_router]`, or say \
    why it is not recorded: `#[audited(exempt(\"it makes the router\"))]`";
