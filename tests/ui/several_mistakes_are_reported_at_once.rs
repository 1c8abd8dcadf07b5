// Refused: every mistake has its own error, and the item is still there for the code that names it.

use audited::audited;

#[audited(
    effect = "reed",
    levle = "metadata",
    redact = [crad, order[0]],
    skip(unknown),
    target(type = "order"),
    durability = 1
)]
fn refund(order: u32, card: &str) -> String {
    format!("{order} {card}")
}

fn caller() -> String {
    refund(1, "4242")
}

fn main() {}
