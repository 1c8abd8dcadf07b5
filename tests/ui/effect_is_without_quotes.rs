// Refused: the words of the attribute are texts, not paths.

use audited::audited;

#[audited(action = "order.refund", effect = destructive)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
