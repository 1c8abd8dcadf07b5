// Refused: `self` is not captured.

use audited::audited;

struct Shop;

impl Shop {
    #[audited(action = "order.refund", redact = [self.key])]
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
