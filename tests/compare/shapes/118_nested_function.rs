//! a function inside a function
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

pub fn run() {
    #[shape]
    fn subject(number: u32) -> u32 {
        body();
        number + 1
    }
    assert_eq!(subject(1), 2);
}
