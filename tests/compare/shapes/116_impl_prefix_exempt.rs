//! an `impl` block with a method that is left out
//! call: {"action": "compare.first", "arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::body;

#[derive(Debug)]
struct Counter(u32);

#[shape(prefix)]
impl Counter {
    const ZERO: u32 = 0;

    fn first(&self, add: u32) -> u32 {
        body();
        self.0 + add + Self::ZERO
    }

    #[shape(exempt)]
    fn second(&self, add: u32) -> u32 {
        self.0 + add
    }
}

pub fn run() {
    assert_eq!(Counter(1).first(2), 3);
    assert_eq!(Counter(1).second(4), 5);
}
