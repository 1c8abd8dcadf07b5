// Refused: the literal has the wrong type.

use audited::audited;

#[audited(action = "order.refund", durability = true)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
