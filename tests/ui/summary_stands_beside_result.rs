// Refused: both say what is recorded of the result.

use audited::audited;

#[audited(action = "order.refund", summary = [id], result = |receipt| receipt.len())]
fn refund(order: u32) -> String {
    order.to_string()
}

fn main() {}
