// Refused: with a flattened member serde makes a map, in which the type is not known any more.

use audited::Capture;
use serde::Serialize;

#[derive(Serialize)]
struct Address {
    street: String,
}

#[derive(Serialize, Capture)]
struct Customer {
    #[audit(redact)]
    name: String,
    #[serde(flatten)]
    address: Address,
}

fn main() {}
