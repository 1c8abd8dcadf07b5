//! a user's module called `std`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

mod std {
    pub fn one() -> u32 {
        1
    }
}

#[shape]
fn subject(number: u32) -> u32 {
    body();
    number + std::one()
}

pub fn run() {
    assert_eq!(subject(1), 2);
}
