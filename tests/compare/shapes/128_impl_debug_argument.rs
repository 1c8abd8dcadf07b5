//! `impl Debug` as argument
//! call: {"arguments": {"value": "[1, 2]"}, "summary": "[1, 2]"}
//! captures: value
use probe::body;

#[shape]
fn subject(value: impl std::fmt::Debug) -> String {
    body();
    format!("{value:?}")
}

pub fn run() {
    assert_eq!(subject([1, 2]), "[1, 2]");
}
