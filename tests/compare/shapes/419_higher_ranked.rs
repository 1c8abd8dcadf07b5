//! higher-ranked bounds
//! call: {"arguments": {"text": "ab", "choose": {"type": "*"}}, "summary": "a"}
//! captures: text, choose
//! shown: text
use probe::body;

#[shape]
fn subject<F>(text: &str, choose: F) -> String
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    body();
    choose(text).to_owned()
}

pub fn run() {
    assert_eq!(subject("ab", |text| &text[..1]), "a");
}
