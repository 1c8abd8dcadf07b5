// Refused: there is no such constant.

use audited::audited;

mod actions {
    pub const REFUND: &str = "order.refund";
}

#[audited(action = actions::REFUNDS)]
fn refund(order: u32) -> u32 {
    order
}

#[audited(action = actions::REFUND)]
fn again(order: u32) -> u32 {
    order
}

fn main() {}
