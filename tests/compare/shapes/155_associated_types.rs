//! a trait method with associated types and generics
//! call: {"arguments": {"input": 1}, "summary": "1"}
//! captures: input
use probe::body;

trait Tool {
    type Input;
    type Output;
    fn subject(&self, input: Self::Input) -> Self::Output;
}

#[derive(Debug)]
struct Show;

impl Tool for Show {
    type Input = u32;
    type Output = String;

    #[shape]
    fn subject(&self, input: Self::Input) -> Self::Output {
        body();
        input.to_string()
    }
}

pub fn run() {
    assert_eq!(Show.subject(1), "1");
}
