//! a where clause
//! call: {"arguments": {"value": {"id": 1, "name": "a"}}, "summary": "Order { id: 1, name: \"a\" }"}
//! captures: value
use probe::{Order, body};

#[shape]
fn subject<T>(value: &T) -> String
where
    T: std::fmt::Debug + serde::Serialize + ?Sized,
    for<'a> &'a T: Copy,
{
    body();
    format!("{value:?}")
}

pub fn run() {
    assert_eq!(subject(&Order::new(1, "a")), "Order { id: 1, name: \"a\" }");
}
