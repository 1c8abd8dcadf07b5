// Refused: the name is that of no parameter.

use audited::audited;

#[audited(action = "order.refund", skip(odrer))]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
