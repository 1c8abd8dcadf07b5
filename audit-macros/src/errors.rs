//! Mistakes: collected, each with its token, and reported together.

use core::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Reports a mistake on all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Reports a mistake at `span`.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what was found elsewhere.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Writes the mistakes as errors of the compiler.
    pub(crate) fn to_compile_errors(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }

    /// Returns the mistakes one by one.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = syn::Error> {
        self.0.clone().into_iter().flatten()
    }
}

/// Writes `a`, `b` and `c`, each in backquotes.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Returns the candidate that `written` was probably meant to be.
pub(crate) fn closest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = written.chars().count().min(DISTANCE_MAX + 1);
    let measured = candidates.into_iter().map(|candidate| {
        // A forgotten unit is no other word, however short the rest is.
        let bare = candidate.strip_suffix(UNIT).filter(|_| !written.ends_with(UNIT)).unwrap_or(candidate);
        (distance(written, bare), candidate)
    });
    measured.filter(|(distance, _)| *distance < far).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Writes the suggestion, with the separator that puts it behind a message, or nothing.
pub(crate) fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(written, candidates).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The Levenshtein distance of two words.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut left_of = row + 1;
        for (to, pair) in right.iter().zip(above.windows(2)) {
            let &[diagonal, up] = pair else { unreachable!("windows(2) yields pairs") };
            left_of = (diagonal + usize::from(from != *to)).min(up + 1).min(left_of + 1);
            current.push(left_of);
        }
        above = current;
    }
    above.last().copied().unwrap_or_default()
}

/// A suggestion further away than this is none.
const DISTANCE_MAX: usize = 2;
/// How the name of an argument in milliseconds ends.
const UNIT: &str = "_ms";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (left, right, expected) in
            [("", "", 0), ("", "ab", 2), ("effect", "efect", 1), ("card", "crad", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        assert_eq!(closest("efect", ["action", "effect"]), Some("effect"));
        assert_eq!(closest("a", ["b"]), None);
        assert_eq!(closest("append_timout", ["action", "append_timeout_ms"]), Some("append_timeout_ms"));
        assert_eq!(closest("apend_timeout_ms", ["action", "append_timeout_ms"]), Some("append_timeout_ms"));
        assert_eq!(closest("colour", ["action", "effect"]), None);
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
