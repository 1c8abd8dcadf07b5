//! What is audited: its signature parsed, its body left alone.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ReturnType, Signature, Token, Type, Visibility};

use crate::errors::Errors;
use crate::tokens::{braced, split_inner_attributes, without_marks};

pub(crate) use body::{Body, Closure, is_body};
pub(crate) use parameters::Parameter;

mod body;
mod parameters;

/// A function or method with a body.
pub(crate) struct Function {
    /// Everything before the body, as written but for the `#[audit(…)]` of parameters.
    pub(crate) header: TokenStream,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) parameters: Vec<Parameter>,
    /// The inner attributes at the top of the body.
    pub(crate) inner_attributes: TokenStream,
    /// The body with its braces, without its inner attributes.
    pub(crate) body: Group,
}

/// Parses the item under the attribute.
///
/// # Errors
///
/// Says what the attribute was put on, if that is no function with a body.
pub(crate) fn parse(item: TokenStream, errors: &mut Errors) -> syn::Result<Function> {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let last = tokens.pop();
    let body = last.as_ref().and_then(braced);
    if body.is_none() {
        tokens.extend(last);
    }
    let header: TokenStream = tokens.into_iter().collect();
    let Header { attributes, signature } = syn::parse2(header.clone())?;
    let Some(body) = body else {
        return Err(syn::Error::new(signature.ident.span(), NO_BODY));
    };
    let (inner_attributes, body) = split_inner_attributes(&body);
    let parameters = parameters::of_function(&signature.inputs, errors);
    Ok(Function { header: without_marks(header), attributes, signature, parameters, inner_attributes, body })
}

struct Header {
    attributes: Vec<Attribute>,
    signature: Signature,
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        // Of a specialised method.
        if input.peek(syn::Ident) && input.peek2(Token![fn]) {
            input.parse::<Ident>()?;
        }
        if !starts_function(&input.fork()) {
            return Err(not_a_function(input));
        }
        let signature = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        Ok(Self { attributes, signature })
    }
}

/// Tells whether a function begins here, even one whose signature has a mistake in it.
fn starts_function(ahead: ParseStream<'_>) -> bool {
    for _ in 0..QUALIFIERS_MAX {
        if ahead.peek(Token![fn]) {
            return true;
        }
        let qualifier = ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(syn::LitStr);
        if !qualifier || ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    false
}

fn not_a_function(input: ParseStream<'_>) -> syn::Error {
    let ahead = input.fork();
    let keyword = ahead.parse::<Option<Token![unsafe]>>().and_then(|_| {
        use syn::ext::IdentExt as _;
        Ident::parse_any(&ahead)
    });
    input.error(match keyword.as_ref().map(ToString::to_string).as_deref() {
        Ok("trait") => {
            "`#[audited]` goes on functions, methods and `impl` blocks: put it on the implementations of this `trait`, \
             or on its methods that have a body"
                .to_owned()
        }
        Ok(keyword) => format!("`#[audited]` goes on functions, methods and `impl` blocks, not on `{keyword}`"),
        Err(_) => "`#[audited]` goes on functions, methods and `impl` blocks".to_owned(),
    })
}

/// Returns the return type as it can be written inside the body: each `impl Trait` is left to inference. `None` if
/// nothing else is in it.
pub(crate) fn nameable(output: &ReturnType) -> Option<Type> {
    let mut nameable = match output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, written) => written.as_ref().clone(),
    };
    infer_opaque(&mut nameable);
    if matches!(nameable, Type::Infer(_)) { None } else { Some(nameable) }
}

/// Leaves each `impl Trait` in a type to inference.
pub(crate) fn infer_opaque(written: &mut Type) {
    ImplTraitToInfer.visit_type_mut(written);
}

struct ImplTraitToInfer;

impl VisitMut for ImplTraitToInfer {
    fn visit_type_mut(&mut self, written: &mut Type) {
        if matches!(written, Type::ImplTrait(_)) {
            *written = syn::parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, written);
        }
    }
}

/// `const async unsafe extern "C"`.
const QUALIFIERS_MAX: usize = 6;
const NO_BODY: &str = "a function without a body has no calls to record: put `#[audited]` on its implementations, or on \
    the function that calls it";
