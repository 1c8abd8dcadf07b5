//! `u128`, `i64::MIN`, `f64` and `char`
//! call: {"arguments": {"wide": "340282366920938463463374607431768211455", "low": "-9223372036854775808", "half": 0.5, "letter": "x"}, "summary": 0.5}
//! captures: wide, low, half, letter
use probe::body;

#[shape]
fn subject(wide: u128, low: i64, half: f64, letter: char) -> f64 {
    body();
    if wide > 0 && low < 0 && letter == 'x' { half } else { 0.0 }
}

pub fn run() {
    assert_eq!(subject(u128::MAX, i64::MIN, 0.5, 'x'), 0.5);
}
