//! a method of a trait's `impl`
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::body;

trait Tool {
    fn subject(&self, add: u32) -> u32;
}

#[derive(Debug)]
struct Counter(u32);

impl Tool for Counter {
    #[shape]
    fn subject(&self, add: u32) -> u32 {
        body();
        self.0 + add
    }
}

pub fn run() {
    let tool: &dyn Tool = &Counter(1);
    assert_eq!(tool.subject(2), 3);
}
