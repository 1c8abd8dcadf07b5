//! Levels and filters: they concern spans, never records.

use std::io;

use testkit::{Memory, place_of};
use tracing::{Dispatch, Level};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use super::{CALLS, NOTHING, assert_log, assert_recorded, calls, each_alone, in_the_way};

/// Makes calls with the subscriber as the process' one, and returns what the doctor finds in the way.
fn through(memory: &Memory, subscriber: impl Into<Dispatch>) -> Vec<&'static str> {
    tracing::dispatcher::set_global_default(subscriber.into()).unwrap();
    calls();
    std::thread::spawn(calls).join().unwrap();
    assert_recorded(memory, 2 * CALLS);
    in_the_way()
}

/// Makes calls in a log that `audited::init` opens.
fn through_init(test: &str) -> Vec<&'static str> {
    let place = place_of(test);
    let guard = audited::init(place.join("log")).unwrap();
    calls();
    let found = in_the_way();
    guard.close().unwrap();
    assert_log(&place.join("log"), CALLS);
    std::fs::remove_dir_all(place).unwrap();
    found
}

each_alone! {
    fn a_global_env_filter_below_the_layer() {
        let memory = Memory::new();
        let subscriber = tracing_subscriber::registry().with(EnvFilter::new("warn")).with(memory.layer());
        assert_eq!(through(&memory, subscriber), ["max_level"]);
    }

    fn a_global_env_filter_above_the_layer() {
        let memory = Memory::new();
        let subscriber = tracing_subscriber::registry().with(memory.layer()).with(EnvFilter::new("warn"));
        assert_eq!(through(&memory, subscriber), ["max_level"]);
    }

    fn a_maximal_level_of_the_formatter() {
        let memory = Memory::new();
        let formatter = tracing_subscriber::fmt().with_max_level(Level::WARN).with_writer(io::sink).finish();
        assert_eq!(through(&memory, formatter.with(memory.layer())), ["max_level"]);
    }

    fn a_level_filter() {
        let memory = Memory::new();
        let subscriber = tracing_subscriber::registry().with(memory.layer()).with(LevelFilter::WARN);
        assert_eq!(through(&memory, subscriber), ["max_level"]);
        let diagnosis = audited::doctor();
        assert!(diagnosis.to_string().contains("the subscriber holds a `LevelFilter` at warn"), "{diagnosis}");
    }

    fn a_targets_filter_that_knows_the_target() {
        let memory = Memory::new();
        let targets = Targets::new().with_default(Level::INFO).with_target("audit", LevelFilter::OFF);
        let subscriber = tracing_subscriber::registry().with(memory.layer()).with(targets);
        assert_eq!(through(&memory, subscriber), ["filter"]);
    }

    ("RUST_LOG" = "off")
    fn rust_log_off() {
        let memory = Memory::new();
        let subscriber = tracing_subscriber::registry().with(EnvFilter::from_default_env()).with(memory.layer());
        assert_eq!(through(&memory, subscriber), ["max_level"]);
        assert!(audited::doctor().to_string().contains("RUST_LOG is `off`"));
    }

    ("RUST_LOG" = "audit=off")
    fn rust_log_audit_off() {
        let memory = Memory::new();
        let subscriber = tracing_subscriber::registry().with(EnvFilter::from_default_env()).with(memory.layer());
        assert_eq!(through(&memory, subscriber), ["max_level"]);
    }

    ("RUST_LOG" = "info,audit=off")
    fn rust_log_audit_off_alone() {
        let memory = Memory::new();
        let subscriber = tracing_subscriber::registry().with(memory.layer()).with(EnvFilter::from_default_env());
        assert_eq!(through(&memory, subscriber), ["filter"]);
    }

    ("RUST_LOG" = "off")
    fn rust_log_off_through_init() {
        assert!(through_init("lost::filters::rust_log_off_through_init").is_empty());
    }

    ("RUST_LOG" = "audit=off")
    fn rust_log_audit_off_through_init() {
        assert!(through_init("lost::filters::rust_log_audit_off_through_init").is_empty());
    }

    fn a_filter_of_the_layers_own() {
        let memory = Memory::new();
        let formatter = tracing_subscriber::fmt::layer().with_writer(io::sink);
        let subscriber =
            tracing_subscriber::registry().with(memory.layer().with_filter(LevelFilter::WARN)).with(formatter);
        assert_eq!(through(&memory, subscriber), ["layer_filter"]);
    }

    fn a_filter_of_the_layers_own_and_no_other_layer() {
        let memory = Memory::new();
        let subscriber = tracing_subscriber::registry().with(memory.layer().with_filter(LevelFilter::WARN));
        assert_eq!(through(&memory, subscriber), ["max_level"]);
    }

    fn a_stale_state_of_a_filter() {
        let memory = Memory::new();
        let formatter = tracing_subscriber::fmt::layer().with_writer(io::sink);
        let subscriber =
            tracing_subscriber::registry().with(memory.layer().with_filter(LevelFilter::INFO)).with(formatter);
        assert!(through(&memory, subscriber).is_empty());
        // The filter's no to this question stays on the thread, and the next span, which needs no question, is taken
        // for the one that was refused.
        let stale = || assert!(tracing::enabled!(target: "other", Level::DEBUG));
        stale();
        calls();
        assert_recorded(&memory, 3 * CALLS);
        stale();
        assert_eq!(in_the_way(), ["stale_filter_state"]);
        assert_eq!(in_the_way(), NOTHING);
    }

    fn a_stale_state_does_not_reach_a_layer_behind_the_audit_filter() {
        let memory = Memory::new();
        let formatter = tracing_subscriber::fmt::layer().with_writer(io::sink);
        let subscriber =
            tracing_subscriber::registry().with(memory.layer().with_filter(audited::audit_filter())).with(formatter);
        assert!(through(&memory, subscriber).is_empty());
        assert!(tracing::enabled!(target: "other", Level::DEBUG));
        calls();
        assert_recorded(&memory, 3 * CALLS);
        assert!(tracing::enabled!(target: "other", Level::DEBUG));
        assert_eq!(in_the_way(), NOTHING);
    }
}
