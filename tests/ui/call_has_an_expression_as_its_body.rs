// Refused: where the call begins and ends would not be seen.

fn refund() -> u32 {
    audited::call!("order.refund", again())
}

fn again() -> u32 {
    7
}

fn main() {}
