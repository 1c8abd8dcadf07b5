//! Which span of an audited call a layer saw last on this thread: for what a layer need not look at again, and so that a
//! diagnosis can tell whether a filter keeps spans from it.

use core::cell::Cell;

use audit_core::port::AuditPort;
use tracing::span;

thread_local! {
    /// The span's identifier and where the layer's port stands, as subscribers give the same identifiers; zeros at first.
    static LAST: Cell<(u64, usize)> = const { Cell::new((0, 0)) };
}

pub(crate) fn note(id: &span::Id, layer: &AuditPort) {
    // A thread-local that is being destroyed is not looked at any more.
    let _noted = LAST.try_with(|last| last.set((id.into_u64(), layer.address())));
}

/// Tells whether the span is the last one that this layer saw.
pub(crate) fn is_last(id: &span::Id, layer: &AuditPort) -> bool {
    LAST.try_with(Cell::get).is_ok_and(|last| last == (id.into_u64(), layer.address()))
}

/// Tells whether the span is the last one of an audited call that any audit layer saw on this thread.
#[must_use]
pub fn was_seen(id: &span::Id) -> bool {
    LAST.try_with(Cell::get).is_ok_and(|(last, _)| last == id.into_u64())
}

/// Forgets the span: its identifier is that of another one now.
pub(crate) fn forget(id: &span::Id) {
    if was_seen(id) {
        let _forgotten = LAST.try_with(|last| last.set((0, 0)));
    }
}
