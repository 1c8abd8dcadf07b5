// Refused: a static is the same for every type.

use audited::audited;

trait Named {
    const ACTION: &'static str;
}

#[audited(action = T::ACTION)]
fn refund<T: Named>(order: u32) -> u32 {
    order
}

fn main() {}
