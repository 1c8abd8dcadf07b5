//! raw identifiers
//! call: {"arguments": {"type": 1, "fn": 2}, "summary": 3}
//! captures: type, fn
use probe::body;

#[shape]
fn r#match(r#type: u32, r#fn: u32) -> u32 {
    body();
    r#type + r#fn
}

pub fn run() {
    assert_eq!(r#match(1, 2), 3);
}
