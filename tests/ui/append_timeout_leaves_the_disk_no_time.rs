// Refused: the intent of a destructive call has to be on the disk, which it never is at once.

use audited::audited;

struct Shop;

#[audited(prefix = "orders", append_timeout_ms = 0)]
impl Shop {
    fn find(&self, order: u32) -> u32 {
        order
    }

    #[audited(effect = "destructive", on_unavailable = "count")]
    fn refund(&self, order: u32) -> u32 {
        order
    }
}

fn main() {}
