// Refused: one function has an action of its own.

use audited::audited;

#[audited(prefix = "orders")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
