// Refused: an action is a name, by which records are searched, not a sentence.

use audited::audited;

#[audited(action = "refund an order")]
fn refund(order: u32) -> u32 {
    order
}

fn main() {}
