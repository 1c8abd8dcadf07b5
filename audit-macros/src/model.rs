//! The function under the attribute: its signature parsed, its body left alone.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, FieldPat, FnArg, Member, PatIdent, ReturnType, Signature, Token, Type, Visibility};

/// A function or method with a body.
pub(crate) struct Function {
    /// Everything before the body, as written.
    pub(crate) header: TokenStream,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) parameters: Vec<Parameter>,
    /// The inner attributes at the top of the body.
    pub(crate) inner_attributes: TokenStream,
    /// The body with its braces, without its inner attributes.
    pub(crate) body: Group,
}

/// One variable that the patterns of the parameters bind.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    /// What it is called where the pattern takes it from, `credentials.password` in
    /// `Login { credentials: Credentials { password: typed } }`; its own name outside of patterns.
    pub(crate) field: String,
    /// The `#[cfg(…)]` of the parameter, without which its capture would name nothing.
    pub(crate) conditions: Vec<Attribute>,
}

impl Parameter {
    /// Returns the name as it is recorded.
    pub(crate) fn text(&self) -> String {
        self.name.unraw().to_string()
    }
}

/// Parses the item under the attribute.
///
/// # Errors
///
/// Says what the attribute was put on, if that is no function with a body.
pub(crate) fn parse(item: TokenStream) -> syn::Result<Function> {
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
    let parameters = parameters(&signature);
    Ok(Function { header, attributes, signature, parameters, inner_attributes, body })
}

/// Returns the block that a token is, also inside the invisible group in which a macro passes on a block.
fn braced(token: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            inside.next().filter(|_| inside.next().is_none()).as_ref().and_then(braced)
        }
        Delimiter::Parenthesis | Delimiter::Bracket => None,
    }
}

struct Header {
    attributes: Vec<Attribute>,
    signature: Signature,
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
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
    let keyword = ahead.parse::<Option<Token![unsafe]>>().and_then(|_| Ident::parse_any(&ahead));
    input.error(match keyword.as_ref().map(ToString::to_string).as_deref() {
        Ok(keyword @ ("impl" | "trait")) => {
            format!("`#[audited]` goes on functions and methods: put it on the methods of this `{keyword}`")
        }
        Ok(keyword) => format!("`#[audited]` goes on functions and methods, not on `{keyword}`"),
        Err(_) => "`#[audited]` goes on functions and methods".to_owned(),
    })
}

fn split_inner_attributes(body: &Group) -> (TokenStream, Group) {
    let mut tokens = body.stream().into_iter().peekable();
    let mut attributes = TokenStream::new();
    let mut rest = TokenStream::new();
    while let Some(pound) = tokens.next_if(|token| is_punct(token, '#')) {
        let Some(bang) = tokens.next_if(|token| is_punct(token, '!')) else {
            rest.extend([pound]);
            break;
        };
        attributes.extend([pound, bang]);
        attributes.extend(tokens.next());
    }
    rest.extend(tokens);
    (attributes, spanned_block(rest, body.span()))
}

fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

/// Puts braces around `content` that stand where `span` does.
pub(crate) fn spanned_block(content: TokenStream, span: Span) -> Group {
    let mut block = Group::new(Delimiter::Brace, content);
    block.set_span(span);
    block
}

fn parameters(signature: &Signature) -> Vec<Parameter> {
    let mut bindings = Bindings::default();
    for input in &signature.inputs {
        if let FnArg::Typed(parameter) = input {
            let conditions = parameter.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
            bindings.conditions = conditions.cloned().collect();
            bindings.visit_pat_mut(&mut parameter.pat.as_ref().clone());
        }
    }
    bindings.found
}

/// Collects the variables of a pattern, in the order in which they are written.
#[derive(Default)]
struct Bindings {
    found: Vec<Parameter>,
    conditions: Vec<Attribute>,
    /// The members around the variable.
    members: Vec<String>,
}

impl VisitMut for Bindings {
    fn visit_field_pat_mut(&mut self, member: &mut FieldPat) {
        let named = if let Member::Named(name) = &member.member { Some(name.unraw().to_string()) } else { None };
        let around = self.members.len();
        self.members.extend(named);
        visit_mut::visit_field_pat_mut(self, member);
        self.members.truncate(around);
    }

    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        // The cases of `A(x) | B(x)` bind the same variables.
        if !self.found.iter().any(|parameter| parameter.name == pattern.ident) {
            let name = pattern.ident.clone();
            let field = if self.members.is_empty() { name.unraw().to_string() } else { self.members.join(".") };
            self.found.push(Parameter { name, field, conditions: self.conditions.clone() });
        }
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

/// Returns the return type as it can be written inside the body: each `impl Trait` is left to inference. `None` if
/// nothing else is in it.
pub(crate) fn nameable(output: &ReturnType) -> Option<Type> {
    let mut nameable = match output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, written) => written.as_ref().clone(),
    };
    ImplTraitToInfer.visit_type_mut(&mut nameable);
    if matches!(nameable, Type::Infer(_)) { None } else { Some(nameable) }
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
const NO_BODY: &str = "a function without a body has no calls to record: put `#[audited]` on its implementations";
