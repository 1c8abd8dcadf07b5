//! `Box<dyn Trait>` returned, coerced in the body
//! call: {"arguments": {"add": true}, "summary": {"type": "*"}}
//! captures: add
use probe::body;

#[shape]
fn subject(add: bool) -> Box<dyn Fn(u32) -> u32> {
    body();
    if add {
        return Box::new(|number| number + 1);
    }
    Box::new(|number| number)
}

pub fn run() {
    assert_eq!(subject(true)(1), 2);
}
