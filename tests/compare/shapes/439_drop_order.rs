//! parameters are dropped as without the attribute, after the locals, the last one first
//! call: {"arguments": {"first": {"type": "*"}, "second": {"type": "*"}}, "summary": null}
//! captures: first, second
use std::sync::Mutex;

use probe::body;

static DROPPED: Mutex<Vec<&str>> = Mutex::new(Vec::new());

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.lock().unwrap().push(self.0);
    }
}

#[shape]
fn subject(first: Noisy, second: Noisy, _: Noisy) {
    body();
    let _local = Noisy("local");
    let _names = (first.0, second.0);
}

pub fn run() {
    subject(Noisy("first"), Noisy("second"), Noisy("third"));
    assert_eq!(*DROPPED.lock().unwrap(), ["local", "third", "second", "first"]);
}
