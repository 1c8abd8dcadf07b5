//! The user's closures: which variables of the function they name.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::visit_mut::{self, VisitMut};
use syn::{ExprClosure, PatIdent};

/// Returns the place where a closure names one of the variables that is none of its own, and the variable.
///
/// Tokens tell it: also those inside of macros, and those in texts such as `"{order}"`.
pub(crate) fn mention(closure: &ExprClosure, variables: &[String]) -> Option<(Span, String)> {
    let mut own = Own::default();
    own.visit_expr_closure_mut(&mut closure.clone());
    let variables: Vec<&String> = variables.iter().filter(|variable| !own.0.contains(variable)).collect();
    in_tokens(closure.to_token_stream(), &variables)
}

/// The variables that a closure binds.
#[derive(Default)]
struct Own(Vec<String>);

impl VisitMut for Own {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        self.0.push(pattern.ident.unraw().to_string());
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

fn in_tokens(tokens: TokenStream, variables: &[&String]) -> Option<(Span, String)> {
    let mut behind_dot = false;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match &token {
            TokenTree::Group(group) => in_tokens(group.stream(), variables),
            // The member of a value, of a literal or of a path.
            TokenTree::Ident(_) if behind_dot || tokens.peek().is_some_and(is_colon) => None,
            TokenTree::Ident(name) => in_name(name, variables),
            TokenTree::Literal(literal) => in_text(&literal.to_string(), literal.span(), variables),
            TokenTree::Punct(_) => None,
        };
        if found.is_some() {
            return found;
        }
        behind_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    None
}

fn is_colon(token: &TokenTree) -> bool {
    crate::tokens::is_punct(token, ':')
}

fn in_name(name: &Ident, variables: &[&String]) -> Option<(Span, String)> {
    let text = name.unraw().to_string();
    variables.contains(&&text).then(|| (name.span(), text))
}

/// Finds what a format string takes from around it.
fn in_text(text: &str, span: Span, variables: &[&String]) -> Option<(Span, String)> {
    let is_in = |variable: &&&String| {
        let mut ends = text.split('{').skip(1).filter_map(|rest| rest.strip_prefix(variable.as_str()));
        ends.any(|rest| rest.starts_with([':', '}']))
    };
    variables.iter().find(is_in).map(|variable| (span, (*variable).clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_of_the_function_are_mentions() {
        let variables = ["order".to_owned(), "self".to_owned()];
        for (written, expected) in [
            ("|u| refuse(order, u)", Some("order")),
            ("|u| self.refuse(u)", Some("self")),
            ("|u| format!(\"{order}: {u}\")", Some("order")),
            ("|u| format!(\"{order:?}: {u}\")", Some("order")),
            ("|u| format!(\"{}\", order)", Some("order")),
            ("|u| Refusal { order }", Some("order")),
            ("|u| format!(\"{{orders}}: {orders}\")", None),
            ("|order| order.refuse()", None),
            ("|u| { let order = u.order; order }", None),
            ("|u| u.order", None),
            ("|u| u.order()", None),
            ("|u| Refusal { order: u }", None),
            ("|u| order::refuse(u)", None),
        ] {
            let closure = syn::parse_str(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            let found = mention(&closure, &variables).map(|(_, variable)| variable);
            assert_eq!(found.as_deref(), expected, "{written}");
        }
    }
}
