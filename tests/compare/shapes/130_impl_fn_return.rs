//! `impl Fn` returned, two `impl` in a tuple
//! call: {"arguments": {"add": 1}, "summary": {"type": "*"}}
//! captures: add
use probe::body;

#[shape]
fn subject(add: u32) -> (impl Fn(u32) -> u32, impl Fn(u32) -> u32) {
    body();
    (move |number| number + add, move |number| number * add)
}

pub fn run() {
    let (plus, times) = subject(1);
    assert_eq!((plus(2), times(2)), (3, 2));
}
