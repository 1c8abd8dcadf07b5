// Refused: the two may contradict each other.

use audited::audited;

#[audited(action = "order.refund", only(order), skip(card))]
fn refund(order: u32, card: u32) -> u32 {
    order + card
}

fn main() {}
