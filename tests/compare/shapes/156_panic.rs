//! a panic that passes through
//! call: {"arguments": {"divisor": 0}, "status": "failure", "error_type": "panic"}
//! captures: divisor
use probe::body;

#[shape]
fn subject(divisor: u32) -> u32 {
    body();
    1 / divisor
}

pub fn run() {
    assert!(std::panic::catch_unwind(|| subject(0)).is_err());
}
