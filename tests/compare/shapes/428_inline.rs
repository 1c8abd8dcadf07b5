//! `#[inline(always)]` and `#[cold]`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

#[inline(always)]
#[cold]
#[shape]
fn subject(number: u32) -> u32 {
    body();
    number + 1
}

pub fn run() {
    assert_eq!(subject(1), 2);
}
