//! `&mut self`
//! call: {"arguments": {"add": 2}, "summary": null}
//! captures: add
use probe::body;

#[derive(Debug)]
struct Counter(u32);

impl Counter {
    #[shape]
    fn subject(&mut self, add: u32) {
        body();
        self.0 += add;
    }
}

pub fn run() {
    let mut counter = Counter(1);
    counter.subject(2);
    assert_eq!(counter.0, 3);
}
