// Refused: parameters are the variables that the patterns bind: here `number`, not `card`.

use audited::audited;

struct Request {
    card: u64,
}

#[audited(action = "order.refund", redact = [card])]
fn refund(Request { card: number }: Request) -> u64 {
    number
}

fn main() {}
