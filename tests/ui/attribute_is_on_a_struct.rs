// Refused: a struct is not called.

use audited::audited;

#[audited(action = "order.refund")]
struct Refund {
    order: u32,
}

fn main() {}
