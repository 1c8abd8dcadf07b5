// Refused: a trait has no calls of its own.

use audited::audited;

#[audited(prefix = "orders")]
trait Shop {
    fn refund(&self, order: u32) -> u32;
}

fn main() {}
