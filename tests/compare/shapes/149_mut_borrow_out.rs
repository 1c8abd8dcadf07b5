//! `&mut self` in and `&mut` out
//! call: {"arguments": {"index": 1}, "summary": 2}
//! captures: index
use probe::body;

#[derive(Debug)]
struct List(Vec<u32>);

impl List {
    #[shape]
    fn subject(&mut self, index: usize) -> &mut u32 {
        body();
        &mut self.0[index]
    }
}

pub fn run() {
    let mut list = List(vec![1, 2]);
    *list.subject(1) = 5;
    assert_eq!(list.0, [1, 5]);
}
