//! a function that `macro_rules!` writes, with a parameter and a body from the caller
//! call: {"arguments": {"number": 1, "local": 2}, "summary": 3}
//! captures: local
use probe::body;

macro_rules! tool {
    ($name:ident, $argument:ident: $type:ty, $body:block) => {
        #[shape]
        fn $name($argument: $type, local: u32) -> $type {
            body();
            let other: $type = $body;
            other + local
        }
    };
}

tool!(subject, number: u32, { number });

pub fn run() {
    assert_eq!(subject(1, 2), 3);
}
