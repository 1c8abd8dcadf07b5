// Refused: what the future resolves to cannot be made from an `Unavailable`.

use audited::audited;

struct RefundError;

#[audited(action = "order.refund", effect = "destructive")]
fn refund(order: u32) -> impl Future<Output = Result<u32, RefundError>> {
    async move { Ok(order) }
}

fn main() {}
