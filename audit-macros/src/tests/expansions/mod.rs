//! Golden expansions.

use expect_test::Expect;

use super::{expand, expand_call};

mod arguments;
mod calls;
mod functions;
mod futures;
mod implementations;
mod policies;

/// Expands the attribute with `arguments` on `item`, and compares the formatted result.
fn check(arguments: &str, item: &str, expected: Expect) {
    expected.assert_eq(&formatted(arguments, item));
}

/// Compares the lines of an expansion in which one of `parts` stands.
fn check_parts(arguments: &str, item: &str, parts: &[&str], expected: Expect) {
    let formatted = formatted(arguments, item);
    let lines = formatted.lines().filter(|line| parts.iter().any(|part| line.contains(part)));
    let lines: Vec<String> = lines.map(|line| format!("{}\n", line.trim())).collect();
    expected.assert_eq(&lines.concat());
}

/// Compares the formatted expansion of `call!`.
fn check_call(input: &str, expected: Expect) {
    let expansion = expand_call(input);
    let file = syn::parse2(quote::quote!(fn around() { #expansion })).expect("the expansion parses");
    expected.assert_eq(&prettyplease::unparse(&file));
}

fn formatted(arguments: &str, item: &str) -> String {
    let file = syn::parse2(expand(arguments, item)).expect("the expansion parses");
    prettyplease::unparse(&file)
}
