// Refused: the type has no `Serialize`, so that its rules would not be met.

use audited::Capture;

#[derive(Capture)]
struct Customer {
    #[audit(redact)]
    _name: String,
}

fn main() {}
