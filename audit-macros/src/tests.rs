//! What the macros expand to, and what they refuse.

#![allow(clippy::too_many_lines, reason = "most of the lines are what is expected")]

use proc_macro2::TokenStream;

use crate::errors::Errors;

mod derive;
mod expansions;
mod mistakes;

/// Expands the attribute on an item without mistakes.
fn expand(arguments: &str, item: &str) -> TokenStream {
    without_mistakes(|errors| crate::attribute(tokens(arguments), tokens(item), errors))
}

/// Expands `call!` without mistakes.
fn expand_call(input: &str) -> TokenStream {
    without_mistakes(|errors| crate::block::expand(tokens(input), errors))
}

fn without_mistakes(expand: impl FnOnce(&mut Errors) -> TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expansion = expand(&mut errors);
    let mistakes: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
    assert!(mistakes.is_empty(), "refused: {mistakes:?}");
    expansion
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the input is made of tokens")
}
