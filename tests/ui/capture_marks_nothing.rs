// Refused: the type says nothing, which is most likely a forgotten mark.

use audited::Capture;
use serde::Serialize;

#[derive(Serialize, Capture)]
struct Customer {
    name: String,
}

fn main() {}
