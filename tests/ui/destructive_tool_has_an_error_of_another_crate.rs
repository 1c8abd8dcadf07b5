// Refused: the hint makes the tool destructive, and its error cannot be made from an `Unavailable`.

use audited::audited;

struct ErrorData;

// Stands in for rmcp's `#[tool]`: the compiler lets any attribute of this tool pass.
#[audited(action = "order.refund")]
#[rustfmt::tool(annotations(destructive_hint = true))]
async fn refund(order: u32) -> Result<u32, ErrorData> {
    Ok(order)
}

fn main() {}
