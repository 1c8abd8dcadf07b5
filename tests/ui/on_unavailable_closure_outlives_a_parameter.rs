// Refused: the future may be refused after the body has taken the parameter.

use audited::audited;

#[audited(action = "order.refund", on_unavailable = |_| order)]
fn refund(order: u32) -> impl Future<Output = u32> {
    async move { order }
}

fn main() {}
