//! One audited tool, one log. Run it twice and look: `cargo run -p audit-cli -- show target/quickstart-audit`.

use audited::audited;

#[derive(Debug)]
enum RefundError {
    Shipped,
    Unrecorded(audited::Unavailable),
}

impl From<audited::Unavailable> for RefundError {
    fn from(unavailable: audited::Unavailable) -> Self {
        Self::Unrecorded(unavailable)
    }
}

#[audited(action = "order.refund", effect = "destructive", redact = [card], target(type = "order", id = order))]
fn refund(order: &str, card: &str, cents: u32) -> Result<u32, RefundError> {
    if order == "ORD-2" { Err(RefundError::Shipped) } else { Ok(cents) }
}

fn main() -> anyhow::Result<()> {
    let guard = audited::init("target/quickstart-audit")?;
    audited::context().agent("agent:support-7").on_behalf_of("usr_1").conversation("conv_1").in_scope(|| {
        for order in ["ORD-1", "ORD-2"] {
            match refund(order, "4242 4242 4242 4242", 1200) {
                Ok(cents) => println!("{order}: {cents} cents given back"),
                Err(RefundError::Shipped) => println!("{order}: refused, it was shipped"),
                Err(RefundError::Unrecorded(why)) => println!("{order}: not even tried: {why}"),
            }
        }
    });
    guard.close()?;
    Ok(())
}
