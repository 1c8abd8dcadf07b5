// Refused: a record has no two members of one name.

use audited::audited;

#[audited(action = "order.refund", fields(order))]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
