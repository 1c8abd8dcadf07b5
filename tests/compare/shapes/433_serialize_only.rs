//! an argument and a result with `Serialize` only
//! call: {"arguments": {"item": {"id": 1}}, "summary": {"id": 2}}
//! captures: item
use probe::body;

#[derive(serde::Serialize)]
struct Item {
    id: u32,
}

#[shape]
fn subject(mut item: Item) -> Item {
    body();
    item.id += 1;
    item
}

pub fn run() {
    assert_eq!(subject(Item { id: 1 }).id, 2);
}
