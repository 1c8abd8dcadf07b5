// Refused: the body returns the wrong type; the error points at it, not at the attribute.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(order: u32) -> u32 {
    order.to_string()
}

#[audited(action = "order.refund")]
async fn refund_async(order: u32) -> Result<u32, String> {
    Err(order)
}

#[audited(action = "order.refund")]
async fn refund_silently(order: u32) {
    order
}

fn main() {}
