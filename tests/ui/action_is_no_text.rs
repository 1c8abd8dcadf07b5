// Refused: an action is a text in quotes.

use audited::audited;

#[audited(action = refund)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
