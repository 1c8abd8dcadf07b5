//! `&mut` in
//! call: {"arguments": {"list": [1], "item": 2}, "summary": null}
//! captures: list, item
use probe::body;

#[shape]
fn subject(list: &mut Vec<u32>, item: u32) {
    body();
    list.push(item);
}

pub fn run() {
    let mut list = vec![1];
    subject(&mut list, 2);
    assert_eq!(list, [1, 2]);
}
