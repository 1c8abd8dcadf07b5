//! a closure
//! call: {"summary": 3}
use probe::body;

pub fn run() {
    let base = 1;
    let subject = |add: u32| {
        shape_call!({
            body();
            base + add
        })
    };
    assert_eq!(subject(2), 3);
}
