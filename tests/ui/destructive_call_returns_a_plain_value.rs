// Refused: there is no error to refuse the call with.

fn refund(order: u32) -> u32 {
    audited::call!("order.refund", effect = "destructive", { order + 1 })
}

fn main() {}
