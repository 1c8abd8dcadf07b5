// Refused: an action is what the record is about, so there is no default for it.

use audited::audited;

#[audited(effect = "read")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
