// Refused: `self` is not captured.

use audited::audited;

struct Shop;

impl Shop {
    #[audited(action = "order.refund")]
    fn refund(#[audit(redact)] &self, order: u32) -> u32 {
        order
    }
}

fn main() {}
