//! generics without bounds
//! call: {"arguments": {"value": {"type": "u8"}}, "summary": {"type": "u8"}}
//! captures: value
use probe::body;

#[shape]
fn subject<T>(value: T) -> T {
    body();
    value
}

pub fn run() {
    assert_eq!(subject(1_u8), 1);
}
