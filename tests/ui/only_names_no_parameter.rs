// Refused: the name is misspelt, and nothing would be recorded.

use audited::audited;

#[audited(action = "order.refund", only(odrer))]
fn refund(order: u32, card: u32) -> u32 {
    order + card
}

fn main() {}
