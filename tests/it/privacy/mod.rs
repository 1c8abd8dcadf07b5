//! Values that are removed and can still be told apart, read again or erased.

mod erasure;
mod holes;
mod keys;
mod place;
