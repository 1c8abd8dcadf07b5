// Refused: an error is recorded as text, which has no keys.

use audited::audited;

#[audited(action = "order.refund", redact = [error.card])]
fn refund(order: u32) -> Result<u32, String> {
    Ok(order)
}

fn main() {}
