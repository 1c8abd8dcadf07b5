// Refused: the subject of a sealed value is no parameter, so that nobody's key would seal it.

use audited::audited;

#[audited(action = "order.refund", redact = [seal(name, subject = customer.id)])]
fn refund(order: u32, name: &str) -> u32 {
    let _ = name;
    order
}

fn main() {}
