//! The one test binary: `audited` from the outside, one subject in each module.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tests say what they skip")]
#![allow(unreachable_pub, missing_docs, reason = "nothing here is public")]

mod airline;
mod anchors;
mod attribute;
mod backpressure;
mod calls;
mod canary;
mod capture;
mod census;
mod contexts;
mod events;
mod export;
mod fixtures;
mod frameworks;
mod futures;
mod hygiene;
mod killed;
mod leaks;
mod lints;
mod logs;
mod lost;
mod manual;
mod matrix;
mod mcp;
mod outcomes;
mod ports;
mod privacy;
mod processes;
mod proofs;
mod redaction;
mod spans;
mod specification;
mod streams;
mod tidy;
mod transparency;
mod ui;
mod vectors;
