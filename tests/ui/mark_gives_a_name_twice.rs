// Refused: a record has no two members of one name.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(#[audit(as = "card")] token: u32, card: u32) -> u32 {
    token + card
}

fn main() {}
