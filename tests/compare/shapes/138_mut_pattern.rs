//! `mut` parameters
//! call: {"arguments": {"text": "a", "list": [1]}, "summary": "ab1"}
//! captures: text, list
use probe::body;

#[shape]
fn subject(mut text: String, mut list: Vec<u32>) -> String {
    body();
    text.push('b');
    text.push_str(&list.remove(0).to_string());
    text
}

pub fn run() {
    assert_eq!(subject("a".to_owned(), vec![1]), "ab1");
}
