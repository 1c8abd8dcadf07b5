// Refused: the error type cannot be made from an `Unavailable`.

use audited::audited;

struct RefundError;

#[audited(action = "order.refund", effect = "destructive")]
fn refund(order: u32) -> Result<u32, RefundError> {
    Ok(order)
}

fn main() {}
