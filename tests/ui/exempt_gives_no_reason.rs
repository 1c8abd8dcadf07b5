// Refused: a census asks why.

use audited::audited;

#[audited(exempt(""))]
fn refund(order: u32) -> u32 {
    order
}

#[audited(exempt)]
fn again(order: u32) -> u32 {
    order
}

fn main() {}
