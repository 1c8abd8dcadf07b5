// Refused: a policy is one of three words or a closure.

use audited::audited;

#[audited(action = "order.refund", on_unavailable = "return")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
