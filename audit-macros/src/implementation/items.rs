//! The items of an `impl` block, told apart by their tokens.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tokens::{braced, is_ident, is_punct};

/// One item of the block.
pub(super) enum Item {
    /// A function, perhaps half typed.
    Function(TokenStream),
    Other(TokenStream),
}

/// Splits the items of a block, in which every token stays.
pub(super) fn items(body: &Group) -> Vec<Item> {
    let tokens: Vec<TokenTree> = body.stream().into_iter().flat_map(flattened).collect();
    let mut items = Vec::new();
    let mut begin = 0;
    while begin < tokens.len() {
        let start = behind_attributes(&tokens, begin);
        let name = function_keyword(&tokens, start);
        let end = match name {
            Some(keyword) => end_of_function(&tokens, keyword + 1),
            None => end_of_other(&tokens, start),
        };
        let end = end.max(begin + 1).min(tokens.len());
        let item = tokens.get(begin..end).unwrap_or_default().iter().cloned().collect();
        items.push(if name.is_some() { Item::Function(item) } else { Item::Other(item) });
        begin = end;
    }
    items
}

/// Opens the invisible group in which a macro passes on an item.
fn flattened(token: TokenTree) -> Vec<TokenTree> {
    match &token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            // Anything else, such as a visibility or a block, stays together.
            if function_keyword(&inside, behind_attributes(&inside, 0)).is_some() { inside } else { vec![token] }
        }
        _ => vec![token],
    }
}

/// Returns the index behind the outer attributes that begin at `index`.
pub(super) fn behind_attributes(tokens: &[TokenTree], mut index: usize) -> usize {
    while let Some([pound, TokenTree::Group(_)]) = tokens.get(index..index + 2)
        && is_punct(pound, '#')
    {
        index += 2;
    }
    index
}

/// Returns the index of the `fn` of a function that begins at `index`.
fn function_keyword(tokens: &[TokenTree], index: usize) -> Option<usize> {
    let qualifier = |token: &TokenTree| match token {
        TokenTree::Ident(word) => QUALIFIERS.iter().any(|qualifier| word == qualifier),
        // `pub(crate)`, `extern "C"`, and what a macro passes on as a visibility.
        TokenTree::Group(group) => matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None),
        TokenTree::Literal(_) => true,
        TokenTree::Punct(_) => false,
    };
    let rest = tokens.get(index..).unwrap_or_default();
    let keyword = index + rest.iter().take_while(|token| qualifier(token)).count();
    // A pointer type `fn(…)` has no name.
    let is_named =
        matches!(tokens.get(keyword + 1), None | Some(TokenTree::Ident(_))) || is_group(tokens.get(keyword + 1));
    (tokens.get(keyword).is_some_and(|token| is_ident(token, "fn")) && is_named).then_some(keyword)
}

fn is_group(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None)
}

/// Returns the index behind a function's body or semicolon; one that is half typed ends where the next item begins.
fn end_of_function(tokens: &[TokenTree], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut index = from;
    while let Some(token) = tokens.get(index) {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            // The arrow of a return type.
            TokenTree::Punct(punct) if punct.as_char() == '-' => {
                index += usize::from(tokens.get(index + 1).is_some_and(|next| is_punct(next, '>')));
            }
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            TokenTree::Punct(punct) if punct.as_char() == ';' => return index + 1,
            _ if depth > 0 => {}
            _ if braced(token).is_some() => return index + 1,
            _ if index > from && begins_item(tokens, index) => return index,
            _ => {}
        }
        index += 1;
    }
    tokens.len()
}

fn begins_item(tokens: &[TokenTree], index: usize) -> bool {
    let Some(token) = tokens.get(index) else { return false };
    is_punct(token, '#')
        || is_ident(token, "pub")
        || (matches!(token, TokenTree::Ident(_)) && function_keyword(tokens, index).is_some())
}

/// Returns the index behind a constant, a type or a macro.
fn end_of_other(tokens: &[TokenTree], from: usize) -> usize {
    let mut index = from;
    while let Some(token) = tokens.get(index) {
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let is_macro = braced(token).is_some() && before.is_some_and(|before| is_punct(before, '!'));
        index += 1;
        if is_punct(token, ';') || is_macro {
            return index;
        }
    }
    tokens.len()
}

/// What may stand before the `fn` of a function, beside groups and the name of an ABI.
const QUALIFIERS: [&str; 8] = ["pub", "default", "const", "async", "unsafe", "safe", "extern", "crate"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_end_where_they_would_for_the_compiler() {
        for (written, expected) in [
            ("fn f() {} fn g() {}", "f() {}|f() {}"),
            (
                "const A: u8 = 1; #[a] pub(crate) async fn g() -> B<{ 1 }> where C: D<{ 2 }> {} type E = F;",
                "o|f() {}|o",
            ),
            ("const A: S = S { a: 1 }; m! { fn f() {} } m!(fn f() {}); fn g() {}", "o|o|o|f() {}"),
            (
                "type P = fn(u8) -> u8; const F: fn() = f; unsafe extern \"C\" fn g<T: Fn(u8) -> u8>() -> fn(u8) -> u8 {}",
                "o|o|f() {}",
            ),
            ("fn half(&self) pub fn g() {}", "f|f() {}"),
            ("fn half(&self) -> Vec async fn g() {}", "f|f() {}"),
            ("fn half fn g() {}", "f|f() {}"),
            ("fn", "f"),
            ("fn none(&self); fn g() {}", "f;|f() {}"),
        ] {
            let body = crate::tokens::spanned_block(written.parse().expect(written), proc_macro2::Span::call_site());
            let found: Vec<String> = items(&body).into_iter().map(shape).collect();
            assert_eq!(found.join("|"), expected, "{written}");
            let kept: TokenStream = items(&body).into_iter().map(tokens).collect();
            assert_eq!(kept.to_string(), body.stream().to_string());
        }
    }

    fn tokens(item: Item) -> TokenStream {
        match item {
            Item::Function(tokens) | Item::Other(tokens) => tokens,
        }
    }

    /// `f() {}` is a function with a body, `f;` one without, `f` is half typed, `o` is anything else.
    fn shape(item: Item) -> String {
        let Item::Function(function) = item else { return "o".to_owned() };
        let tokens: Vec<TokenTree> = function.into_iter().collect();
        match tokens.last() {
            Some(last) if braced(last).is_some() => "f() {}".to_owned(),
            Some(last) if is_punct(last, ';') => "f;".to_owned(),
            _ => "f".to_owned(),
        }
    }
}
