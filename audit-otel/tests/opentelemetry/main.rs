//! `audited` beside OpenTelemetry, as a program has both.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that finds something else fails")]

mod correlation;
mod spans;
