//! a result that nothing can show
//! call: {"arguments": {"number": 1}, "summary": {"type": "*"}}
//! captures: number
use probe::{Opaque, body};

#[shape]
fn subject(number: u32) -> Opaque {
    body();
    Opaque(number)
}

pub fn run() {
    assert_eq!(subject(1).0, 1);
}
