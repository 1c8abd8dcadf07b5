// Refused: calls are recorded or they are not.

use audited::audited;

#[audited(action = "order.refund", exempt("it only formats"))]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
