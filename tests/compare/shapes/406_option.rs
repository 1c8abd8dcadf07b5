//! `Option` in and out
//! call: {"arguments": {"order": {"id": 1, "name": "a"}, "other": null}, "summary": null}
//! call: {"arguments": {"order": null, "other": 2}, "summary": 2}
//! captures: order, other
use probe::{Order, body};

#[shape]
fn subject(order: Option<&Order>, other: Option<u32>) -> Option<u32> {
    body();
    if order.is_some() {
        return None;
    }
    Some(other? * 1)
}

pub fn run() {
    assert_eq!(subject(Some(&Order::new(1, "a")), None), None);
    assert_eq!(subject(None, Some(2)), Some(2));
}
