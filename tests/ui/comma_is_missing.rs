// Refused: arguments are separated by commas.

use audited::audited;

#[audited(action = "order.refund" level = "request")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
