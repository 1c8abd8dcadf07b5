//! `self: Rc<Self>`
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use std::rc::Rc;

use probe::body;

#[derive(Debug)]
struct Counter(u32);

impl Counter {
    #[shape]
    fn subject(self: Rc<Self>, add: u32) -> u32 {
        body();
        self.0 + add
    }
}

pub fn run() {
    assert_eq!(Rc::new(Counter(1)).subject(2), 3);
}
