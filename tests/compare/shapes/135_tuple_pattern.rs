//! a destructured tuple with a rest
//! call: {"arguments": {"first": 1, "last": 3}, "summary": 4}
//! captures: first, last
use probe::body;

#[shape]
fn subject((first, .., last): (u32, u32, u32)) -> u32 {
    body();
    first + last
}

pub fn run() {
    assert_eq!(subject((1, 2, 3)), 4);
}
