// Refused: a key that is no identifier is written in quotes.

use audited::audited;

#[audited(action = "order.refund", redact = [customer.card-number])]
fn refund(customer: u32) -> u32 {
    customer
}

fn main() {}
