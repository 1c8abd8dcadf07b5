// Refused: an empty action names nothing.

use audited::audited;

#[audited(action = "")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
