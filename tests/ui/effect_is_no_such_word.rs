// Refused: an effect is one of three words.

use audited::audited;

#[audited(action = "order.refund", effect = "destuctive")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
