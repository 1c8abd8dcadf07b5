//! inner attributes
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

#[shape]
fn subject(number: u32) -> u32 {
    #![allow(unused_variables)]
    body();
    let unused = 0;
    number + 1
}

pub fn run() {
    assert_eq!(subject(1), 2);
}
