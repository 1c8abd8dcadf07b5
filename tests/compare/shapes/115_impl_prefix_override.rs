//! an `impl` block with a method of another action
//! call: {"action": "compare.first", "arguments": {"add": 2}, "summary": 3}
//! call: {"action": "compare.special", "arguments": {"add": 4}, "summary": 5}
//! captures: add
use probe::body;

#[derive(Debug)]
struct Counter(u32);

#[shape(prefix)]
impl Counter {
    fn first(&self, add: u32) -> u32 {
        body();
        self.0 + add
    }

    #[shape(special)]
    fn second(&self, add: u32) -> u32 {
        body();
        self.0 + add
    }
}

pub fn run() {
    assert_eq!(Counter(1).first(2), 3);
    assert_eq!(Counter(1).second(4), 5);
}
