//! a `self` that nothing can show
//! call: {"arguments": {"add": 2}, "summary": 3}
//! captures: add
use probe::{Opaque, body};

struct Service(Opaque);

impl Service {
    #[shape]
    fn subject(&self, add: u32) -> u32 {
        body();
        self.0.0 + add
    }
}

pub fn run() {
    assert_eq!(Service(Opaque(1)).subject(2), 3);
}
