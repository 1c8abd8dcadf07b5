// Refused: its paths begin inside the result.

use audited::audited;

#[audited(action = "order.refund", summary = [return.id])]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
