// Refused: a path begins with a parameter of one method.

use audited::audited;

struct Shop;

#[audited(prefix = "orders", redact = [card])]
impl Shop {
    fn refund(&self, card: u32) -> u32 {
        card
    }
}

fn main() {}
