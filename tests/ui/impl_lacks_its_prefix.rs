// Refused: nothing would name the methods.

use audited::audited;

struct Shop;

#[audited(effect = "read")]
impl Shop {
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
