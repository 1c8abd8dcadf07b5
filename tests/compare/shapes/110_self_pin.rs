//! `self: Pin<&mut Self>`
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use std::pin::Pin;

use probe::body;

#[derive(Debug)]
struct Counter(u32);

impl Counter {
    #[shape]
    fn subject(mut self: Pin<&mut Self>, add: u32) -> u32 {
        body();
        self.0 += add;
        self.0
    }
}

pub fn run() {
    let mut counter = Counter(1);
    assert_eq!(Pin::new(&mut counter).subject(2), 3);
    assert_eq!(counter.0, 3);
}
