//! Subscribers that are absent, elsewhere, silent, reloadable, second, or put together in unusual ways.

use testkit::Memory;
use tracing::subscriber::{NoSubscriber, set_global_default, with_default};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

use super::{CALLS, NOTHING, assert_recorded, calls, each_alone, in_the_way};

/// Makes calls under a subscriber of this layer and nothing else; the doctor must find nothing in the way.
fn clear(memory: &Memory, layer: impl Layer<Registry> + Send + Sync) {
    with_default(tracing_subscriber::registry().with(layer), || {
        calls();
        assert_eq!(in_the_way(), NOTHING);
    });
    assert_recorded(memory, CALLS);
}

each_alone! {
    fn none_at_the_first_call_and_one_later() {
        let memory = Memory::new();
        let layer = memory.layer();
        calls();
        assert_eq!(in_the_way(), ["no_subscriber"]);
        set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
        calls();
        assert_eq!(in_the_way(), NOTHING);
        assert_recorded(&memory, 2 * CALLS);
    }

    fn on_one_thread_and_calls_on_another() {
        let memory = Memory::new();
        let layer = memory.layer();
        // The call's place in the code is first met on the thread that has no subscriber.
        std::thread::spawn(calls).join().unwrap();
        with_default(tracing_subscriber::registry().with(layer), || {
            let other = std::thread::spawn(|| {
                calls();
                in_the_way()
            });
            assert_eq!(other.join().unwrap(), ["no_subscriber_here"]);
            // Tracing remembers for all threads what the wrong one said of the span's place in the code.
            calls();
            assert_eq!(in_the_way(), ["stale_callsite"]);
            tracing::callsite::rebuild_interest_cache();
            assert_eq!(in_the_way(), NOTHING);
        });
        assert_recorded(&memory, 3 * CALLS);
    }

    fn another_one_on_the_thread() {
        let memory = Memory::new();
        set_global_default(tracing_subscriber::registry().with(memory.layer())).unwrap();
        with_default(tracing_subscriber::registry(), || {
            calls();
            assert_eq!(in_the_way(), ["other_subscriber"]);
        });
        assert_recorded(&memory, CALLS);
    }

    fn one_that_does_nothing() {
        let memory = Memory::new();
        set_global_default(tracing_subscriber::registry().with(memory.layer())).unwrap();
        with_default(NoSubscriber::new(), || {
            calls();
            assert_eq!(in_the_way(), ["subscriber_off"]);
        });
        assert_recorded(&memory, CALLS);
    }

    fn a_reloadable_layer() {
        let memory = Memory::new();
        let (layer, handle) = reload::Layer::new(memory.layer());
        set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
        calls();
        assert_eq!(in_the_way(), ["layer_hidden"]);
        assert!(audited::doctor().has_span());
        handle.modify(|_layer| ()).unwrap();
        calls();
        assert_recorded(&memory, 2 * CALLS);
    }

    fn a_second_one_that_is_not_installed() {
        let memory = Memory::new();
        tracing_subscriber::registry().try_init().unwrap();
        assert!(tracing_subscriber::registry().with(memory.layer()).try_init().is_err());
        calls();
        assert_eq!(in_the_way(), ["not_installed"]);
        assert_recorded(&memory, CALLS);
    }

    fn none_that_the_layer_was_put_into() {
        let memory = Memory::new();
        let _layer = memory.layer();
        tracing_subscriber::registry().try_init().unwrap();
        calls();
        assert_eq!(in_the_way(), ["not_installed"]);
        assert_recorded(&memory, CALLS);
    }

    fn the_layer_in_a_list() {
        let memory = Memory::new();
        let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
            vec![Box::new(tracing_subscriber::fmt::layer().with_writer(std::io::sink)), Box::new(memory.layer())];
        clear(&memory, layers);
    }

    fn the_layer_in_an_option() {
        let memory = Memory::new();
        clear(&memory, Some(memory.layer()));
    }

    fn the_layer_in_a_box() {
        let memory = Memory::new();
        clear(&memory, memory.layer().boxed());
    }
}
