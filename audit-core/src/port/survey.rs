//! Which ways lead from a place to a sink and how those sinks are, for diagnosis: nothing here is on the way of a call.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::dispatcher::{self, WeakDispatch};
use tracing::{Dispatch, Metadata};

use super::{AuditPort, current_recorder};
use crate::sink::Health;

/// How many subscribers are remembered that a layer was put into; each clone of a layer may be in one of its own.
const INSTALLATIONS_MAX: usize = 16;

/// How the recorder was that was let go last, so that its absence can be explained.
static LET_GO: Mutex<Option<Health>> = Mutex::new(None);

/// Where the layer of a port stands, seen from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Installed {
    /// In no subscriber at all.
    Never,
    /// In the subscriber that is at work here.
    Here,
    /// In a subscriber that is alive, but not at work here.
    Elsewhere,
    /// In a subscriber that is gone, as one is that could not be installed.
    Gone,
}

/// Returns where a subscriber of the layer's type stands in memory, if the dispatcher leads to one.
pub type Identify = fn(&Dispatch) -> Option<usize>;

/// The subscribers that the layer of a port was put into. Only diagnosis looks at them.
#[derive(Default)]
pub(super) struct Installations(Mutex<Vec<(WeakDispatch, Identify)>>);

impl fmt::Debug for Installations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installations").finish_non_exhaustive()
    }
}

impl Installations {
    fn add(&self, dispatch: WeakDispatch, identify: Identify) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == INSTALLATIONS_MAX {
            all.remove(0);
        }
        all.push((dispatch, identify));
    }

    fn seen_from(&self, here: &Dispatch) -> Installed {
        // Cloned, so that the lock is not held when a subscriber is dropped that ended meanwhile.
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut found = if all.is_empty() { Installed::Never } else { Installed::Gone };
        for (dispatch, identify) in all {
            let Some(dispatch) = dispatch.upgrade() else { continue };
            if identify(here).is_some_and(|place| Some(place) == identify(&dispatch)) {
                return Installed::Here;
            }
            found = Installed::Elsewhere;
        }
        found
    }
}

impl AuditPort {
    /// Notes that the port's layer was put into a subscriber.
    pub fn note_installed(&self, dispatch: &Dispatch, identify: Identify) {
        self.0.installations.add(dispatch.downgrade(), identify);
    }

    /// Tells where the port's layer stands, seen from here.
    #[must_use]
    pub fn installed(&self) -> Installed {
        dispatcher::get_default(|here| self.0.installations.seen_from(here))
    }

    /// Returns the port of the layer that the current dispatcher leads to, whether its sink is open or not.
    #[must_use]
    pub fn of_dispatcher() -> Option<Self> {
        dispatcher::get_default(|dispatch| dispatch.downcast_ref::<Self>().cloned())
    }

    /// Returns the process-wide recorder, whether its sink is open or not.
    #[must_use]
    pub fn of_process() -> Option<Self> {
        current_recorder()
    }

    /// Tells how the port's sink is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.0.sink.health()
    }

    /// Tells whether both ports lead to one sink.
    #[must_use]
    pub fn leads_where(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.sink, &other.0.sink)
    }
}

/// Returns how the process-wide recorder was that was let go last, because its sink accepted nothing more.
#[must_use]
pub fn let_go() -> Option<Health> {
    LET_GO.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) fn note_let_go(health: Health) {
    let before = LET_GO.lock().unwrap_or_else(PoisonError::into_inner).replace(health);
    drop(before);
}

/// Tells whether a span is that of an audited call, which the call itself records.
#[must_use]
pub fn is_call_span(metadata: &Metadata<'_>) -> bool {
    metadata.module_path() == Some(CALL_SPAN_MODULE)
}

/// The module whose one callsite makes the spans of audited calls.
const CALL_SPAN_MODULE: &str = "audit_core::call::span";

#[cfg(test)]
mod tests {
    use super::*;

    fn identify(dispatch: &Dispatch) -> Option<usize> {
        dispatch.downcast_ref::<Marked>().map(|marked| core::ptr::from_ref(marked).addr())
    }

    /// The number gives it a place of its own.
    struct Marked(u8);

    impl tracing::Subscriber for Marked {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            false
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(u64::from(self.0))
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {}
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn a_subscriber_is_told_apart_from_another_of_its_type() {
        let installations = Installations::default();
        let subscriber = || Dispatch::new(Marked(1));
        let (one, other) = (subscriber(), subscriber());
        assert_eq!(installations.seen_from(&one), Installed::Never);
        installations.add(one.downgrade(), identify);
        assert_eq!(installations.seen_from(&one), Installed::Here);
        assert_eq!(installations.seen_from(&other), Installed::Elsewhere);
        assert_eq!(installations.seen_from(&Dispatch::none()), Installed::Elsewhere);
        drop(one);
        assert_eq!(installations.seen_from(&other), Installed::Gone);
    }

    #[test]
    fn only_so_many_subscribers_are_remembered() {
        let installations = Installations::default();
        for _ in 0..2 * INSTALLATIONS_MAX {
            installations.add(Dispatch::none().downgrade(), identify);
        }
        assert_eq!(installations.0.lock().unwrap().len(), INSTALLATIONS_MAX);
    }
}
