//! `&str` and `Cow`
//! call: {"arguments": {"left": "a", "right": "b"}, "summary": "ab"}
//! captures: left, right
use std::borrow::Cow;

use probe::body;

#[shape]
fn subject<'a>(left: &'a str, right: Cow<'a, str>) -> Cow<'a, str> {
    body();
    if right.is_empty() { Cow::Borrowed(left) } else { Cow::Owned(left.to_owned() + &right) }
}

pub fn run() {
    assert_eq!(subject("a", "b".into()), "ab");
}
