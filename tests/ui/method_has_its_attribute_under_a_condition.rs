// Refused: what is behind the condition comes to light after the first has expanded.

use audited::audited;

struct Shop;

#[audited(prefix = "orders")]
impl Shop {
    #[cfg_attr(all(), audited(action = "order.refund"))]
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
