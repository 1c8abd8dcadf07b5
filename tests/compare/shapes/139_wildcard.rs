//! `_` and a parameter that begins with `_`
//! call: {"arguments": {"_unused": 2}, "summary": null}
//! captures: _unused
use probe::body;

#[shape]
fn subject(_: u32, _unused: u32) {
    body();
}

pub fn run() {
    subject(1, 2);
}
