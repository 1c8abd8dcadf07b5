//! a `Send` future of an argument that is not `Sync`
//! call: {"arguments": {"cell": 1}, "summary": 2}
//! captures: cell
use std::cell::Cell;

use probe::{body, pause, send};

#[shape]
async fn subject(cell: Cell<u32>) -> u32 {
    pause().await;
    body();
    cell.get() + 1
}

pub async fn run() {
    assert_eq!(send(subject(Cell::new(1))).await, 2);
}
