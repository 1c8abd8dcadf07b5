//! `unsafe fn`
//! call: {"arguments": {"value": 7}, "summary": 7}
//! captures: value
use probe::body;

#[shape]
unsafe fn subject(value: &u32) -> u32 {
    body();
    let pointer: *const u32 = value;
    // SAFETY: the pointer is that of a reference.
    unsafe { *pointer }
}

pub fn run() {
    // SAFETY: the function has no condition.
    assert_eq!(unsafe { subject(&7) }, 7);
}
