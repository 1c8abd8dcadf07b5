// Refused: of a parameter that is not captured there is nothing to redact.

use audited::audited;

#[audited(action = "order.refund", skip(card), redact = [card.number])]
fn refund(order: u32, card: &str) -> String {
    format!("{order} {card}")
}

fn main() {}
