//! no parameters and no result
//! call: {"summary": null}
use probe::body;

#[shape]
fn subject() {
    body();
}

pub fn run() {
    subject();
}
