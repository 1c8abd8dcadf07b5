// Refused: a static cannot use `Self`.

use audited::audited;

struct Shop;

impl Shop {
    const REFUND: &'static str = "order.refund";

    #[audited(action = Self::REFUND)]
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
