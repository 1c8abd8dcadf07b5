// Refused: elements have no numbers in a path: a secret does not depend on its position.

use audited::audited;

#[audited(action = "order.refund", redact = [cards[0], pair.0])]
fn refund(cards: &[u64], pair: (u8, u8)) -> usize {
    cards.len() + usize::from(pair.0)
}

fn main() {}
