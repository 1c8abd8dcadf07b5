//! `-> impl Iterator` that borrows
//! call: {"arguments": {"words": ["a", "b"], "suffix": "c"}, "summary": "Map { iter: Iter([\"a\", \"b\"]) }"}
//! captures: words, suffix
use probe::body;

#[shape]
fn subject(words: &[&str], suffix: String) -> impl Iterator<Item = String> {
    body();
    words.iter().map(move |word| format!("{word}{suffix}"))
}

pub fn run() {
    assert_eq!(subject(&["a", "b"], "c".to_owned()).collect::<Vec<_>>(), ["ac", "bc"]);
}
