// Refused: nothing says what is done.

fn refund() -> u32 {
    audited::call!({ 7 })
}

fn main() {}
