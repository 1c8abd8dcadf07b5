// Refused: the value has no name of its own.

use audited::audited;

struct Shop {
    tenant: u32,
}

impl Shop {
    #[audited(action = "order.refund", fields(self.tenant))]
    fn refund(&self, order: u32) -> u32 {
        order + self.tenant
    }
}

fn main() {}
