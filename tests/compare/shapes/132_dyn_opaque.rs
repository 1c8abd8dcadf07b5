//! `&mut dyn Trait` without `Debug`
//! call: {"arguments": {"values": {"type": "*"}}, "summary": 3}
//! captures: values
use probe::body;

#[shape]
fn subject(values: &mut dyn Iterator<Item = u32>) -> u32 {
    body();
    values.sum()
}

pub fn run() {
    assert_eq!(subject(&mut [1, 2].into_iter()), 3);
}
