//! Calls from inside the callbacks of a layer, where tracing may hand out no subscriber.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use testkit::Memory;
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use super::{CALLS, assert_recorded, calls, each_alone, in_the_way};

/// Makes calls in the callbacks for the target `probe`, and keeps what the doctor finds there.
#[derive(Clone, Default)]
struct Calling(Arc<Mutex<Vec<Vec<&'static str>>>>);

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
}

impl Calling {
    fn call(&self, target: &str) {
        if target == "probe" && !ACTIVE.replace(true) {
            calls();
            self.0.lock().unwrap().push(in_the_way());
            ACTIVE.set(false);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calling {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.call(attributes.metadata().target());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.call(event.metadata().target());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let metadata = context.span(&id).unwrap().metadata();
        self.call(metadata.target());
    }
}

fn provoke() {
    let span = tracing::info_span!(target: "probe", "probe");
    tracing::info!(target: "probe", "event");
    drop(span);
}

each_alone! {
    fn of_a_subscriber_of_the_thread() {
        for is_above in [false, true] {
            let (memory, calling) = (Memory::new(), Calling::default());
            let layer = memory.layer();
            let (below, above) = if is_above { (None, Some(calling.clone())) } else { (Some(calling.clone()), None) };
            tracing::subscriber::with_default(
                tracing_subscriber::registry().with(below).with(layer).with(above),
                provoke,
            );
            // When a span closes tracing hands the subscriber out, but the call's place in the code was met before, where
            // it did not.
            let last = if is_above { &[][..] } else { &["stale_callsite"] };
            assert_eq!(*calling.0.lock().unwrap(), [&["no_subscriber_here"][..], &["no_subscriber_here"], last]);
            assert_recorded(&memory, 3 * CALLS);
            // The next round has a recorder of its own.
            memory.close();
        }
    }

    fn of_the_subscriber_of_the_process() {
        let (memory, calling) = (Memory::new(), Calling::default());
        let subscriber = tracing_subscriber::registry().with(calling.clone()).with(memory.layer());
        tracing::subscriber::set_global_default(subscriber).unwrap();
        provoke();
        assert_eq!(*calling.0.lock().unwrap(), [[""; 0]; 3]);
        assert_recorded(&memory, 3 * CALLS);
    }
}
