//! What is removed, and who decides it.

mod airline;
mod policy;
