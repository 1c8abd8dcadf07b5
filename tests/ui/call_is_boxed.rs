// Refused: `boxed` is for functions.

fn refund() -> impl Future<Output = u32> {
    audited::call!("order.refund", boxed, async { 7 })
}

fn main() {}
