// Refused: the call would be recorded as finished before it ran.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(order: u32) -> impl Future<Output = u32> {
    async move { order }
}

fn main() {}
