// Refused: the word is misspelt, and the card would be recorded.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(#[audit(redcat)] card: u32) -> u32 {
    card
}

fn main() {}
