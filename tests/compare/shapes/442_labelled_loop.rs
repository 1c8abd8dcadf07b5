//! a body that ends in a labelled block and a `match`
//! call: {"arguments": {"number": 2}, "summary": "two"}
//! captures: number
use probe::body;

#[shape]
fn subject(number: u32) -> &'static str {
    body();
    let found = 'search: {
        for tried in 0..10 {
            if tried == number {
                break 'search Some(tried);
            }
        }
        None
    };
    match found {
        Some(2) => "two",
        Some(_) => "other",
        None => "none",
    }
}

pub fn run() {
    assert_eq!(subject(2), "two");
}
