// Refused: the call would be recorded as finished before it ran.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(order: u32) -> std::pin::Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { order })
}

fn main() {}
