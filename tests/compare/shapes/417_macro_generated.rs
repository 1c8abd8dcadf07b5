//! a function that `macro_rules!` writes
//! call: {"arguments": {"number": 1, "local": 2}, "summary": 3}
//! captures: number, local
use probe::body;

macro_rules! tool {
    ($name:ident, $type:ty, $body:expr) => {
        #[shape]
        fn $name(number: $type, local: u32) -> $type {
            body();
            let change: fn($type) -> $type = $body;
            change(number) + local
        }
    };
}

tool!(subject, u32, |number| number);

pub fn run() {
    assert_eq!(subject(1, 2), 3);
}
