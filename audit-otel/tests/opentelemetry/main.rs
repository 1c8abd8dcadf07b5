//! `audited` beside OpenTelemetry, as a program has both.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that finds something else fails"
)]

mod checks;
mod correlation;
mod delivery;
mod end_to_end;
mod metrics;
mod proxy;
mod receiver;
mod spans;
