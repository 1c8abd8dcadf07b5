//! What ties spans to the calls that they are of, for a task that carries only the span.
//!
//! The extensions of a span would do, but each of them is a box. A tie needs none: it is one of a fixed number of places.
//! Who finds its place taken uses the extensions.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::span;

use crate::context::Ambient;

/// How many spans can be tied at once.
const PLACES: usize = 512;

/// The spans of calls that the layer has seen begin and will see end.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// None without a layer.
    places: Box<[Place]>,
    /// True if others than the layer look for what is tied, in the extensions.
    is_shared: AtomicBool,
}

#[derive(Debug, Default)]
struct Place {
    /// The span; 0 if there is none. It is changed only under the lock.
    span: AtomicU64,
    ambient: Mutex<Option<Ambient>>,
}

impl Ties {
    pub(super) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| Place::default()).collect(), is_shared: AtomicBool::new(false) }
    }

    /// Ties no span from now on.
    pub(super) fn share(&self) {
        self.is_shared.store(true, Ordering::Relaxed);
    }

    /// Ties what is at work inside a call to its span; false if there is no place for it.
    pub(super) fn tie(&self, span: &span::Id, ambient: &Ambient) -> bool {
        let Some(place) = self.place(span).filter(|_| !self.is_shared.load(Ordering::Relaxed)) else { return false };
        let mut tied = place.lock();
        if tied.is_some() {
            return false;
        }
        *tied = Some(ambient.clone());
        place.span.store(span.into_u64(), Ordering::Release);
        true
    }

    /// Returns what is tied to the span.
    pub(super) fn find(&self, span: &span::Id) -> Option<Ambient> {
        let place = self.place(span).filter(|place| place.is_of(span))?;
        let tied = place.lock();
        tied.as_ref().filter(|_| place.is_of(span)).cloned()
    }

    /// Unties the span, which has ended.
    pub(super) fn untie(&self, span: &span::Id) -> Option<Ambient> {
        let place = self.place(span).filter(|place| place.is_of(span))?;
        let mut tied = place.lock();
        place.span.store(0, Ordering::Relaxed);
        tied.take()
    }

    /// The registry counts in the low half of an identifier, and its threads in the other half above: the spans of one
    /// thread take turns in few places, and those of another one are elsewhere.
    fn place(&self, span: &span::Id) -> Option<&Place> {
        const SPREAD: u64 = 37;
        let id = span.into_u64();
        let at = usize::try_from((id & LOW).wrapping_add((id >> 32 & THREADS).wrapping_mul(SPREAD))).ok()?;
        self.places.get(at % PLACES)
    }
}

const LOW: u64 = (1 << 32) - 1;
const THREADS: u64 = (1 << 19) - 1;

impl Place {
    fn is_of(&self, span: &span::Id) -> bool {
        self.span.load(Ordering::Acquire) == span.into_u64()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ambient>> {
        self.ambient.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::CallLink;
    use crate::id::CallId;

    fn inside(id: u8) -> Ambient {
        Ambient::default().inside(CallLink { id: CallId::from_bytes([id; 16]), action: "order.refund".into() })
    }

    fn id_of(ambient: Option<Ambient>) -> Option<u8> {
        ambient?.call().map(|call| call.id.to_bytes()[0])
    }

    #[test]
    fn a_span_is_tied_until_it_ends() {
        let (ties, span) = (Ties::new(), |id: u64| span::Id::from_u64(id));
        assert!(ties.tie(&span(1), &inside(1)));
        assert!(ties.tie(&span(2), &inside(2)));
        assert_eq!(id_of(ties.find(&span(1))), Some(1));
        assert_eq!(id_of(ties.untie(&span(1))), Some(1));
        assert_eq!(id_of(ties.find(&span(1))), None);
        assert_eq!(id_of(ties.untie(&span(1))), None);
        assert_eq!(id_of(ties.find(&span(2))), Some(2));
    }

    #[test]
    fn a_span_whose_place_is_taken_is_not_tied() {
        let (ties, places) = (Ties::new(), PLACES as u64);
        let (first, second) = (span::Id::from_u64(1), span::Id::from_u64(1 + places));
        assert!(ties.tie(&first, &inside(1)));
        assert!(!ties.tie(&second, &inside(2)));
        assert_eq!(id_of(ties.find(&second)), None);
        assert_eq!(id_of(ties.untie(&second)), None);
        assert_eq!(id_of(ties.untie(&first)), Some(1));
        assert!(ties.tie(&second, &inside(2)));
    }

    #[test]
    fn nothing_is_tied_without_a_layer_or_where_others_look_for_it() {
        let span = span::Id::from_u64(1);
        assert!(!Ties::default().tie(&span, &inside(1)));
        let ties = Ties::new();
        ties.share();
        assert!(!ties.tie(&span, &inside(1)));
    }
}
