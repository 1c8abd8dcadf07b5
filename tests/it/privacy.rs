//! What is removed, and who decides it.

mod policy;
