//! user's modules called `audited`, `fastrace`, `emit` and `log`
//! call: {"arguments": {"number": 1}, "summary": 5}
//! captures: number
use probe::body;

macro_rules! modules {
    ($($name:ident)*) => {
        $(mod $name {
            pub fn one() -> u32 {
                1
            }
        })*
    };
}

modules!(audited fastrace emit log);

#[shape]
fn subject(number: u32) -> u32 {
    body();
    number + audited::one() + fastrace::one() + emit::one() + log::one()
}

pub fn run() {
    assert_eq!(subject(1), 5);
}
