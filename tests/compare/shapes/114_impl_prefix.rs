//! a whole `impl` block
//! call: {"action": "compare.first", "arguments": {"add": 2}, "summary": 3}
//! call: {"action": "compare.second", "arguments": {"add": 4}, "summary": 5}
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

    async fn second(&self, add: u32) -> u32 {
        body();
        self.0 + add
    }
}

pub async fn run() {
    assert_eq!(Counter(1).first(2), 3);
    assert_eq!(Counter(1).second(4).await, 5);
}
