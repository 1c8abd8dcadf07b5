//! a large array
//! call: {"arguments": {"block": "*"}, "summary": {"type": "*", "size": 12288}}
//! captures: block
use probe::body;

#[shape]
fn subject(block: [u8; 4096]) -> [u8; 4096] {
    body();
    block
}

pub fn run() {
    assert_eq!(subject([7; 4096])[4095], 7);
}
