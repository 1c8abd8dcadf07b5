// Refused: a `const fn` may run at compile time, where nothing can be recorded.

use audited::audited;

#[audited(action = "order.refund")]
const fn refund(order: u32) -> u32 {
    order
}

fn main() {}
