// Refused: a path that matches nothing would leave the value unredacted.

use audited::audited;

#[audited(action = "order.refund", redact = [crad])]
fn refund(order: u32, card: &str) -> String {
    format!("{order} {card}")
}

fn main() {}
