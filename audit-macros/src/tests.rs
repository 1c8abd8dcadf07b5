//! What the attribute expands to, and what it refuses.

use proc_macro2::TokenStream;

mod expansions;
mod mistakes;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the input is made of tokens")
}
