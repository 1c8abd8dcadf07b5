//! `unsafe extern "C" fn` with a raw pointer
//! call: {"arguments": {"pointer": "*"}, "summary": 7}
//! captures: pointer
use probe::body;

#[shape]
unsafe extern "C" fn subject(pointer: *const u32) -> u32 {
    body();
    // SAFETY: the caller gives a valid pointer.
    unsafe { *pointer }
}

pub fn run() {
    let value = 7;
    // SAFETY: the pointer is that of a local variable.
    assert_eq!(unsafe { subject(&raw const value) }, 7);
}
