// Refused: a block has no parameters.

fn refund(card: u32) -> u32 {
    audited::call!("order.refund", redact = [card], { card })
}

fn main() {}
