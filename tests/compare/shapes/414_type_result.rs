//! user's types called `Result` and `Option`
//! call: {"arguments": {"number": 1}, "summary": "Result(1)"}
//! captures: number
use probe::body;

#[derive(Debug, PartialEq)]
struct Result(u32);
#[derive(Debug, PartialEq)]
struct Option;

#[shape]
fn subject(number: u32) -> Result {
    body();
    let _option = Option;
    Result(number)
}

pub fn run() {
    assert_eq!(subject(1), Result(1));
}
