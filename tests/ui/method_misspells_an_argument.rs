// Refused: the mistake costs the other methods nothing.

use audited::audited;

struct Shop;

#[audited(prefix = "orders")]
impl Shop {
    #[audited(efect = "read")]
    fn find(&self, order: u32) -> u32 {
        order
    }

    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
