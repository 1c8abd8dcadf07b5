// Refused: without a body there are no calls to record.

use audited::audited;

trait Refund {
    #[audited(action = "order.refund")]
    fn refund(&self, order: u32) -> u32;
}

fn main() {}
