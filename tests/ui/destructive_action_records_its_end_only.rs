// Refused: the intent of a destructive action is recorded before its body runs.

use audited::audited;

#[audited(action = "order.refund", effect = "destructive", stages = "completed")]
fn refund(order: u32) -> Result<u32, audited::Unavailable> {
    Ok(order)
}

fn main() {}
