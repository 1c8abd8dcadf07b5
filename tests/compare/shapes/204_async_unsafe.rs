//! `async unsafe fn`
//! call: {"arguments": {"value": 7}, "summary": 7}
//! captures: value
use probe::{body, pause};

#[shape]
async unsafe fn subject(value: &u32) -> u32 {
    pause().await;
    body();
    let pointer: *const u32 = value;
    // SAFETY: the pointer is that of a reference.
    unsafe { *pointer }
}

pub async fn run() {
    // SAFETY: the function has no condition.
    assert_eq!(unsafe { subject(&7) }.await, 7);
}
