//! a function pointer and a closure as arguments
//! call: {"arguments": {"map": "*", "apply": {"type": "*"}}, "summary": 3}
//! captures: map, apply
//! shown: map
use probe::body;

#[shape]
fn subject(map: fn(u32) -> u32, apply: impl FnOnce(u32) -> u32) -> u32 {
    body();
    apply(map(1))
}

pub fn run() {
    assert_eq!(subject(|number| number + 1, |number| number + 1), 3);
}
