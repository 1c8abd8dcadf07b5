// Refused: a destructive call that cannot be recorded is refused, and a plain value cannot say so.

use audited::audited;

#[audited(action = "order.refund", effect = "destructive")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
