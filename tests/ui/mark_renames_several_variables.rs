// Refused: two members would have one name.

use audited::audited;

#[audited(action = "order.refund")]
fn refund(#[audit(as = "order")] (id, _version): (u32, u32)) -> u32 {
    id
}

fn main() {}
