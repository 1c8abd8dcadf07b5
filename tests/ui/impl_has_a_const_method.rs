// Refused: it may run at compile time, and nothing says that it is exempt.

use audited::audited;

struct Shop;

#[audited(prefix = "orders")]
impl Shop {
    const fn limit() -> u32 {
        3
    }

    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
