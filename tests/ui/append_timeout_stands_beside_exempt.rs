// Refused: a call that leaves no record has none that could wait.

use audited::audited;

#[audited(exempt("it only formats"), append_timeout_ms = 50)]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
