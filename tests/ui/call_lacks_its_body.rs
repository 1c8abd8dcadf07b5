// Refused: there is nothing to record.

fn refund() -> u32 {
    audited::call!("order.refund", effect = "read")
}

fn main() {}
