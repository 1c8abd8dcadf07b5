//! `where Self: Sized` on a trait's default method that takes `self`
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::body;

trait Tool {
    #[shape]
    fn subject(self, add: u32) -> u32
    where
        Self: Sized,
    {
        body();
        self.base() + add
    }

    fn base(&self) -> u32;
}

struct Counter(u32);

impl Tool for Counter {
    fn base(&self) -> u32 {
        self.0
    }
}

pub fn run() {
    assert_eq!(Counter(1).subject(2), 3);
}
