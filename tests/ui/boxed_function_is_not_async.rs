// Refused: there is no future to box.

use audited::audited;

#[audited(action = "order.refund", boxed)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
