// Refused: its body is not here.

use audited::audited;

unsafe extern "C" {
    #[audited(action = "order.refund")]
    fn refund(order: u32) -> u32;
}

fn main() {}
