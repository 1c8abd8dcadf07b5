//! a block
//! call: {"summary": 3}
use probe::body;

pub fn run() {
    let base = 1;
    let sum = shape_call!({
        body();
        let add = 2;
        base + add
    });
    assert_eq!(sum, 3);
}
