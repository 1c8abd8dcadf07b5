//! a default method called on `dyn Trait` and on a slice
//! call: {"arguments": {"add": 1}, "summary": 3}
//! call: {"arguments": {"add": 1}, "summary": 3}
//! captures: add
use probe::body;

trait Tool {
    #[shape]
    fn subject(&self, add: usize) -> usize {
        body();
        self.base() + add
    }

    fn base(&self) -> usize;
}

impl Tool for [u8] {
    fn base(&self) -> usize {
        self.len()
    }
}

impl Tool for u8 {
    fn base(&self) -> usize {
        2
    }
}

pub fn run() {
    let tool: &dyn Tool = &1_u8;
    assert_eq!(tool.subject(1), 3);
    assert_eq!([1_u8, 2][..].subject(1), 3);
}
