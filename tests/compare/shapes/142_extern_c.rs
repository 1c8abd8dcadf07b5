//! `extern "C" fn`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

#[shape]
extern "C" fn subject(number: u32) -> u32 {
    body();
    number + 1
}

pub fn run() {
    let pointer: extern "C" fn(u32) -> u32 = subject;
    assert_eq!(pointer(1), 2);
}
