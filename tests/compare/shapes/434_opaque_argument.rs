//! an argument that nothing can show, beside one that can be shown
//! call: {"arguments": {"client": {"type": "*"}, "number": 1}, "summary": 2}
//! captures: client, number
//! shown: number
use probe::{Opaque, body};

#[shape]
fn subject(client: &Opaque, number: u32) -> u32 {
    body();
    client.0 + number
}

pub fn run() {
    assert_eq!(subject(&Opaque(1), 1), 2);
}
