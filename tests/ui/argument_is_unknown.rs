// Refused: the argument is misspelt, and ignored it would leave the default in force.

use audited::audited;

#[audited(action = "order.refund", efect = "destructive")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
