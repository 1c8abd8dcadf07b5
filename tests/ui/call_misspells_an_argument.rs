// Refused: the effect would be another.

fn refund() -> u32 {
    audited::call!("order.refund", efect = "read", { 7 })
}

fn main() {}
