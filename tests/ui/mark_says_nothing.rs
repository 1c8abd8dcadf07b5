// Refused: it leaves open what is meant.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(#[audit] card: u32) -> u32 {
    card
}

fn main() {}
