//! twelve parameters
//! call: {"arguments": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1, "k": 1, "l": 1}, "summary": 12}
//! captures: a, b, c, d, e, f, g, h, i, j, k, l
use probe::body;

#[shape]
fn subject(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8) -> u8 {
    body();
    a + b + c + d + e + f + g + h + i + j + k + l
}

pub fn run() {
    assert_eq!(subject(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 12);
}
