//! slices in and out
//! call: {"arguments": {"bytes": [1, 2, 3]}, "summary": [2, 3]}
//! captures: bytes
use probe::body;

#[shape]
fn subject(bytes: &[u8]) -> &[u8] {
    body();
    &bytes[1..]
}

pub fn run() {
    assert_eq!(subject(&[1, 2, 3]), [2, 3]);
}
