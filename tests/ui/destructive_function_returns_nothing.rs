// Refused: a destructive call that cannot be recorded is refused, and a unit cannot say so.

use audited::audited;

#[audited(action = "order.refund", effect = "destructive")]
async fn refund(order: u32) {
    drop(order);
}

fn main() {}
