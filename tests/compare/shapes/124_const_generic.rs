//! const generics
//! call: {"arguments": {"values": [1, 2, 3]}, "summary": 3}
//! captures: values
use probe::body;

#[shape]
fn subject<const N: usize>(values: [u32; N]) -> usize
where
    [u32; N]: std::fmt::Debug + serde::Serialize,
{
    body();
    values.len()
}

pub fn run() {
    assert_eq!(subject([1, 2, 3]), 3);
}
