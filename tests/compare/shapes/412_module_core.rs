//! a user's module called `core`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

mod core {
    pub fn one() -> u32 {
        1
    }
}

#[shape]
fn subject(number: u32) -> u32 {
    body();
    number + core::one()
}

pub fn run() {
    assert_eq!(subject(1), 2);
}
