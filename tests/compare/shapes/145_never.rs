//! `-> !`
//! call: {"arguments": {"code": 7}, "status": "failure", "error_type": "panic"}
//! captures: code
use probe::body;

#[shape]
fn subject(code: u32) -> ! {
    body();
    panic!("code {code}")
}

pub fn run() {
    let panicked = std::panic::catch_unwind(|| -> () { subject(7) }).unwrap_err();
    assert_eq!(panicked.downcast_ref::<String>().unwrap(), "code 7");
}
