// Refused: a newtype variant of a tagged enum is serialised as the type inside, which is not marked.

use audited::Capture;
use serde::Serialize;

#[derive(Serialize)]
struct Card {
    number: String,
}

#[derive(Serialize, Capture)]
#[serde(tag = "kind")]
#[audit(redact)]
enum Payment {
    Card(Card),
    Cash,
}

fn main() {}
