//! a method of a generic `impl`
//! call: {"arguments": {"value": {"type": "u8"}}, "summary": {"type": "*"}}
//! captures: value
use probe::body;

struct Pair<T>(T);

impl<T: Copy> Pair<T> {
    #[shape]
    fn subject(&self, value: T) -> (T, T) {
        body();
        (self.0, value)
    }
}

pub fn run() {
    assert_eq!(Pair(1_u8).subject(2), (1, 2));
}
