//! Work on tokens that are not parsed: what is re-emitted stays as it was written.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::Meta;

pub(crate) fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

pub(crate) fn is_ident(token: &TokenTree, expected: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == expected)
}

/// Puts braces around `content` that stand where `span` does.
pub(crate) fn spanned_block(content: TokenStream, span: Span) -> Group {
    spanned_group(Delimiter::Brace, content, span)
}

fn spanned_group(delimiter: Delimiter, content: TokenStream, span: Span) -> Group {
    let mut group = Group::new(delimiter, content);
    group.set_span(span);
    group
}

/// Looks through the invisible groups in which a macro passes on what it was given, if nothing stands beside them.
pub(crate) fn ungrouped(tokens: TokenStream) -> TokenStream {
    let mut inside = tokens.clone().into_iter();
    match (inside.next(), inside.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => ungrouped(group.stream()),
        _ => tokens,
    }
}

/// Returns the block that a token is, also inside the invisible group in which a macro passes on a block.
pub(crate) fn braced(token: &TokenTree) -> Option<Group> {
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

/// Splits a body from the inner attributes at its top.
pub(crate) fn split_inner_attributes(body: &Group) -> (TokenStream, Group) {
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

/// Removes the `#[audit(…)]` of the parameters: no other macro knows them.
pub(crate) fn without_marks(item: TokenStream) -> TokenStream {
    let strip = |token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            let inside = without_attributes(group.stream(), |meta| meta.path().is_ident("audit"));
            inside.map_or(TokenTree::Group(group.clone()), |inside| {
                TokenTree::Group(spanned_group(Delimiter::Parenthesis, inside, group.span()))
            })
        }
        other => other,
    };
    item.into_iter().map(strip).collect()
}

/// Removes the attributes that `unwanted` chooses from the outermost level; `None` if there are none.
pub(crate) fn without_attributes(tokens: TokenStream, unwanted: impl Fn(&Meta) -> bool) -> Option<TokenStream> {
    let mut kept = TokenStream::new();
    let mut found = false;
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        if is_punct(&token, '#')
            && let Some(TokenTree::Group(group)) = rest.peek()
            && attribute(group).is_some_and(|meta| unwanted(&meta))
        {
            rest.next();
            found = true;
        } else {
            kept.extend([token]);
        }
    }
    found.then_some(kept)
}

/// Parses what stands in the brackets of an attribute.
pub(crate) fn attribute(brackets: &Group) -> Option<Meta> {
    if brackets.delimiter() != Delimiter::Bracket {
        return None;
    }
    syn::parse2(ungrouped(brackets.stream())).ok()
}

/// Tells whether an attribute is ours, under whatever path.
pub(crate) fn is_audited(meta: &Meta) -> bool {
    meta.path().segments.last().is_some_and(|segment| segment.ident == "audited")
}
