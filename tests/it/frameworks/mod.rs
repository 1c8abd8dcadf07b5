//! The frameworks that agents' tools are written for: the attribute above and below theirs, and what each of them does
//! with calls that never reach a tool.

mod agents;
mod handlers;
mod traits;
