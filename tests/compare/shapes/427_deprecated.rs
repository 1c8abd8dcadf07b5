//! `#[deprecated]`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

#[shape]
#[deprecated(note = "for a reason")]
fn subject(number: u32) -> u32 {
    body();
    number + 1
}

#[expect(deprecated, reason = "it must still warn where it is called")]
pub fn run() {
    assert_eq!(subject(1), 2);
}
