// Refused: there is no error to refuse the call with.

fn refund() -> u32 {
    let refund = audited::call!("order.refund", effect = "destructive", |order: u32| -> u32 { order + 1 });
    refund(7)
}

fn main() {}
