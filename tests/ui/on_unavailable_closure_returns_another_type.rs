// Refused: the closure returns in the place of the function.

use audited::audited;

#[audited(action = "order.refund", on_unavailable = |unavailable| unavailable.to_string())]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
