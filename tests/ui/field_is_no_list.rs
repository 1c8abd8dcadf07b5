// Refused: fields stand in parentheses.

use audited::audited;

#[audited(action = "order.refund", fields = [order])]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
