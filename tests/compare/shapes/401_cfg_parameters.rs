//! cfg'd parameters
//! call: {"arguments": {"here": 1, "also": 2}, "summary": 3}
//! captures: here, also
//! shown: here, also
use probe::body;

#[shape]
fn subject(#[cfg(any())] gone: Missing, #[cfg(all())] here: u32, also: u32) -> u32 {
    body();
    here + also
}

pub fn run() {
    assert_eq!(subject(1, 2), 3);
}
