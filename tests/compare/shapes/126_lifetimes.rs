//! explicit lifetimes
//! call: {"arguments": {"left": "ab", "right": "c"}, "summary": "ab"}
//! captures: left, right
use probe::body;

#[shape]
fn subject<'a, 'b: 'a>(left: &'a str, right: &'b str) -> &'a str {
    body();
    if left.len() > right.len() { left } else { right }
}

pub fn run() {
    let left = String::from("ab");
    assert_eq!(subject(&left, "c"), "ab");
}
