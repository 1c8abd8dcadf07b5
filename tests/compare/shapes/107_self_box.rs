//! `self: Box<Self>`
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::body;

#[derive(Debug)]
struct Counter(u32);

impl Counter {
    #[shape]
    fn subject(self: Box<Self>, add: u32) -> u32 {
        body();
        self.0 + add
    }
}

pub fn run() {
    assert_eq!(Box::new(Counter(1)).subject(2), 3);
}
