// Refused: the body is the last argument.

fn refund() -> u32 {
    audited::call!("order.refund", { 7 }, effect = "read")
}

fn main() {}
