//! a function that runs on another thread, as under `spawn_blocking`
//! call: {"arguments": {"number": 1}, "summary": 2}
//! captures: number
use probe::body;

#[shape]
fn subject(number: u32) -> u32 {
    body();
    number + 1
}

pub fn run() {
    let joined = std::thread::spawn(|| subject(1)).join();
    assert_eq!(joined.unwrap(), 2);
}
