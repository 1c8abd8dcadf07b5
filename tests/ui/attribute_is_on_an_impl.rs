// Refused: each method has an action of its own.

use audited::audited;

struct Shop;

#[audited(action = "order.refund")]
impl Shop {
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
