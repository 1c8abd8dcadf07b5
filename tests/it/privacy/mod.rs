//! What is removed, how, and by whose word; and what can be told apart, read again or erased.

mod airline;
mod erased;
mod erasure;
mod example;
mod holes;
mod keys;
mod place;
mod policy;
mod types;
