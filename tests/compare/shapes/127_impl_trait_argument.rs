//! `impl Trait` as argument
//! call: {"arguments": {"values": {"type": "*"}}, "summary": 3}
//! captures: values
use probe::body;

#[shape]
fn subject(values: impl IntoIterator<Item = u32>) -> u32 {
    body();
    values.into_iter().sum()
}

pub fn run() {
    assert_eq!(subject([1, 2]), 3);
}
