// Refused: there is one result.

use audited::audited;

#[audited(action = "order.refund", outcome = |order, refunded| order == refunded)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
