// Refused: what makes the router would be recorded as a tool.

use audited::audited;

struct Shop;
struct ToolRouter<S>(S);

#[audited(prefix = "orders")]
impl Shop {
    fn tool_router() -> ToolRouter<Self> {
        ToolRouter(Self)
    }
}

fn main() {}
