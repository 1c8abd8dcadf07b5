//! `&dyn Trait`
//! call: {"arguments": {"value": "7"}, "summary": "7"}
//! captures: value
use probe::body;

#[shape]
fn subject(value: &dyn std::fmt::Debug) -> String {
    body();
    format!("{value:?}")
}

pub fn run() {
    assert_eq!(subject(&7), "7");
}
