// Refused: it is not clear which of the two holds.

use audited::audited;

struct Shop;

#[audited(prefix = "orders")]
impl Shop {
    #[audited(effect = "read")]
    #[audited(effect = "write")]
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
