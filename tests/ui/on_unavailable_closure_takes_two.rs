// Refused: the closure is given one value, the `Unavailable`.

use audited::audited;

#[audited(action = "order.refund", on_unavailable = |a, b| 0)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
