//! `#[expect]` and `#[allow]` on parameters
//! call: {"arguments": {"number": 1, "other": 2}, "summary": 1}
//! captures: number, other
use probe::body;

#[shape]
fn subject(#[allow(clippy::needless_pass_by_value)] number: u32, #[expect(unused_variables)] other: u32) -> u32 {
    body();
    number
}

pub fn run() {
    assert_eq!(subject(1, 2), 1);
}
