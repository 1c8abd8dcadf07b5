//! an argument and a result with `Debug` only
//! call: {"arguments": {"shown": "Shown { id: 1 }"}, "summary": "Shown { id: 2 }"}
//! captures: shown
use probe::body;

#[derive(Debug, PartialEq)]
struct Shown {
    id: u32,
}

#[shape]
fn subject(mut shown: Shown) -> Shown {
    body();
    shown.id += 1;
    shown
}

pub fn run() {
    assert_eq!(subject(Shown { id: 1 }), Shown { id: 2 });
}
