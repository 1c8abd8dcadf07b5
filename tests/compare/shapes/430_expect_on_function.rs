//! `#[expect]` on the function
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

#[shape]
#[expect(unused_variables, reason = "it is not used")]
fn subject(number: u32) -> u32 {
    body();
    let unused = 0;
    number + 1
}

pub fn run() {
    assert_eq!(subject(1), 2);
}
