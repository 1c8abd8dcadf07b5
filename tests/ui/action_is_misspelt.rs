// Refused: one misspelt argument is one mistake: that `action` is missing is not reported as well.

use audited::audited;

#[audited(acton = "order.refund")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
