//! parameters called as things in expansions are
//! call: {"arguments": {"span": 1, "call": 2, "site": 3, "arguments": 4, "guard": 5, "level": 6, "result": 7, "name": 8}, "summary": 36}
//! captures: span, call, site, arguments, guard, level, result, name
use probe::body;

#[shape]
fn subject(span: u8, call: u8, site: u8, arguments: u8, guard: u8, level: u8, result: u8, name: u8) -> u8 {
    body();
    span + call + site + arguments + guard + level + result + name
}

pub fn run() {
    assert_eq!(subject(1, 2, 3, 4, 5, 6, 7, 8), 36);
}
