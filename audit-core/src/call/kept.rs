//! Where an open call is kept: in a place that its thread uses again, so that a call in steady state allocates none.

use core::cell::RefCell;
use core::mem;
use core::ops::{Deref, DerefMut};

use tracing::Span;

use super::Open;

/// How many places a thread keeps: as many as it has calls at work at once.
const SPARE_MAX: usize = 16;

thread_local! {
    static SPARE: RefCell<Vec<Vec<Open>>> = const { RefCell::new(Vec::new()) };
}

/// An open call in its place. Dropped, it gives the place to the thread that it is dropped on.
#[derive(Debug)]
pub(super) struct Kept(
    /// Has room for one call, and holds one until it is dropped.
    Vec<Open>,
);

impl Kept {
    pub(super) fn new(open: Open) -> Self {
        let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut place = spare.unwrap_or_else(|| Vec::with_capacity(1));
        place.push(open);
        Self(place)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for open in &mut self.0 {
            // What the span holds of the context goes first, so that the context's own place can be used again.
            drop(mem::replace(&mut open.span, Span::none()));
            open.entering = None;
            mem::take(&mut open.inside).recycle();
        }
        // A layer that sees the span close runs code of the user's: nothing is borrowed while the call is dropped.
        self.0.clear();
        let place = mem::take(&mut self.0);
        let _ended = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.len() < SPARE_MAX
            {
                spare.push(place);
            }
        });
    }
}

impl Deref for Kept {
    type Target = Open;

    fn deref(&self) -> &Open {
        match self.0.first() {
            Some(open) => open,
            None => unreachable!("a place holds its call until it is dropped"),
        }
    }
}

impl DerefMut for Kept {
    fn deref_mut(&mut self) -> &mut Open {
        match self.0.first_mut() {
            Some(open) => open,
            None => unreachable!("a place holds its call until it is dropped"),
        }
    }
}
