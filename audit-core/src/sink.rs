//! Where records go: the [`Sink`] trait, what it is given and what it answers.

mod error;
mod health;
mod prepared;
mod receipt;

use std::sync::Arc;

pub use crate::hash::Hash;
use crate::privacy::Privacy;

pub use error::{AppendError, AppendErrorKind};
pub use health::{Condition, FailingAnchor, Health};
pub use prepared::{Prepared, WhenFull};
pub use receipt::{Appended, Completion, Receipt};

/// Takes finished records and keeps them.
///
/// A sink never drops a record silently: it answers each [`append`](Self::append) with an [`Appended`] or an
/// [`AppendError`], and counts what it refused, to state it as soon as it can, unless the error
/// [is final](AppendError::is_final). It may be called from any thread, from inside a tracing callback and while a panic unwinds.
pub trait Sink: Send + Sync + 'static {
    /// Appends one record.
    ///
    /// When this returns without an error in the receipt, the record survives the death of the process
    /// ([`Durability::Os`](crate::vocabulary::Durability::Os)). Whoever needs more waits for the receipt.
    fn append(&self, prepared: &Prepared<'_>) -> Receipt;

    /// Keeps a payload that is too long for a record, under its hash (without a prefix), so that a record can refer to it.
    ///
    /// When this returns a hash, the payload is as safe as a record that is appended after it. A sink that keeps no
    /// payloads, or could not keep this one, returns none; the record then states only the payload's hash and size.
    fn keep(&self, payload: &[u8]) -> Option<Hash> {
        let _not_kept = payload;
        None
    }

    /// Tells whether the sink still accepts records. Once false it stays false.
    fn is_open(&self) -> bool {
        true
    }

    /// Tells how the sink is, for diagnosis. It is not asked on the way of a call. It appends nothing, and waits for nothing
    /// but a record that is being written.
    fn health(&self) -> Health {
        Health::new(if self.is_open() { Condition::Open } else { Condition::Closed })
    }

    /// Returns what is removed from every record before it comes here, beside what attributes and types say; none stands for
    /// the default rules. It is asked on the way of each call.
    fn privacy(&self) -> Option<Arc<Privacy>> {
        None
    }

    /// Returns a handle to this sink that does not keep it open, for layers and the process-wide recorder, which live
    /// as long as the process. A sink that needs no closing has none.
    fn weak(&self) -> Option<Arc<dyn Sink>> {
        None
    }
}
