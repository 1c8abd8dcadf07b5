//! the whole `impl` of a trait
//! call: {"action": "compare.first", "arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::body;

trait Tool {
    const NAME: &str;
    fn first(&self, add: u32) -> u32;
}

#[derive(Debug)]
struct Counter(u32);

#[shape(prefix)]
impl Tool for Counter {
    const NAME: &str = "counter";

    fn first(&self, add: u32) -> u32 {
        body();
        self.0 + add
    }
}

pub fn run() {
    assert_eq!(Counter(1).first(2), 3);
    assert_eq!(Counter::NAME, "counter");
}
