// Refused: a number is no action.

use audited::audited;

const REFUND: u32 = 7;

#[audited(action = REFUND)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
