//! a borrowed `Result`
//! call: {"arguments": {"index": 0}, "summary": 1}
//! captures: index
use probe::{Failure, body};

#[derive(Debug)]
struct Answers(Vec<Result<u32, Failure>>);

impl Answers {
    #[shape]
    fn subject(&self, index: usize) -> &Result<u32, Failure> {
        body();
        &self.0[index]
    }
}

pub fn run() {
    assert_eq!(Answers(vec![Ok(1)]).subject(0), &Ok(1));
}
