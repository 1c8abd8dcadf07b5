// Refused: every method would have the same action.

use audited::audited;

struct Shop;

#[audited(action = "order.refund")]
impl Shop {
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
