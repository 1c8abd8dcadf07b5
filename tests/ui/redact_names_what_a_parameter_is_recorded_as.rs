// Refused: a parameter is named by its variable.

use audited::audited;

#[audited(action = "order.refund", redact = [order_id])]
fn refund(#[audit(as = "order_id")] order: u32) -> u32 {
    order
}

fn main() {}
