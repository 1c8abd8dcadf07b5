//! Compares `#[audited]` with the attributes of other crates.
//!
//! `cargo run --release` writes `docs/compare-macros.md`: which functions each attribute takes.
//! `cargo run --release -- check` tells whether `#[audited]` still takes what it took, and writes nothing.
//! `cargo run --release -- cost` writes `docs/expansion-cost.md`: what the expansions cost.

mod cost;
mod matrix;
mod toolchain;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => matrix::run(),
        Some("check") => matrix::check(),
        Some("cost") => cost::run(),
        Some(_) => bail!("expected no argument, `check` or `cost`"),
    }
}
