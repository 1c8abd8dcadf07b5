//! elided lifetimes `'_`
//! call: {"arguments": {"words": ["a"]}, "summary": ["a"]}
//! captures: words
use probe::body;

#[derive(Debug, serde::Serialize)]
struct Words<'a>(&'a [&'a str]);

#[shape]
fn subject(words: Words<'_>) -> Vec<&'_ str> {
    body();
    words.0.to_vec()
}

pub fn run() {
    assert_eq!(subject(Words(&["a"])), ["a"]);
}
