// Refused: an action has none, wherever it is written.

use audited::audited;

const REFUND: &str = "order refund";

#[audited(action = REFUND)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
