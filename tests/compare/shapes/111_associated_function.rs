//! an associated function that returns `Self`
//! call: {"arguments": {"value": 1}, "summary": "Counter(1)"}
//! captures: value
use probe::body;

#[derive(Debug, PartialEq)]
struct Counter(u32);

impl Counter {
    #[shape]
    fn subject(value: u32) -> Self {
        body();
        Self(value)
    }
}

pub fn run() {
    assert_eq!(Counter::subject(1), Counter(1));
}
