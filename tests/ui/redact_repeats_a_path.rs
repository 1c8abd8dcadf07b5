// Refused: one of the two was meant to be another.

use audited::audited;

#[audited(action = "order.refund", redact = [customer.ssn, customer.ssn?])]
fn refund(customer: u32) -> u32 {
    customer
}

fn main() {}
