// Refused: there is no such box.

use audited::audited;

#[audited(action = "order.refund", boxed = "send")]
async fn refund(order: u32) -> u32 {
    order
}

fn main() {}
