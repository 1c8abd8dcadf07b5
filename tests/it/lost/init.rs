//! `audited::init` and `init_strict`: what the doctor says of them, and when they refuse to start.

use audit_core::sink::AppendErrorKind;
use audited::doctor::Way;
use audited::{Log, audit_filter};
use testkit::{Memory, place_of};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{CALLS, assert_log, calls, each_alone, in_the_way, log_records, names};

each_alone! {
    fn a_subscriber_that_was_first_stays() {
        let place = place_of("lost::init::a_subscriber_that_was_first_stays");
        tracing_subscriber::registry().try_init().unwrap();
        let refused = audited::init_strict(place.join("strict")).unwrap_err();
        assert!(refused.diagnosis().unwrap().names("not_installed"), "{refused:?}");
        assert!(refused.to_string().starts_with("something stands in the way of the audit"), "{refused}");
        let guard = audited::init(place.join("log")).unwrap();
        calls();
        assert_eq!(in_the_way(), ["not_installed"]);
        assert_eq!(audited::doctor().way(), Way::Recorder);
        guard.close().unwrap();
        assert_log(&place.join("log"), CALLS);
        // The log that was refused is closed, and says what was tried.
        let events: Vec<_> = log_records(&place.join("strict")).iter().map(|r| r["event_name"].clone()).collect();
        assert_eq!(events, ["log.opened", "tool.called", "tool.completed", "log.closed"]);
        std::fs::remove_dir_all(place).unwrap();
    }

    fn a_strict_start_with_nothing_in_the_way() {
        let place = place_of("lost::init::a_strict_start_with_nothing_in_the_way");
        let guard = audited::init_strict(place.join("log")).unwrap();
        calls();
        let diagnosis = audited::doctor();
        assert_eq!(diagnosis.to_string(), "calls are recorded, through the audit layer; their spans are enabled");
        assert!(diagnosis.is_clear() && diagnosis.has_span());
        guard.close().unwrap();
        assert_log(&place.join("log"), CALLS);
        let records = log_records(&place.join("log"));
        let test = records.iter().find(|record| record["action"] == "audited.doctor").unwrap();
        assert_eq!((&test["operation"]["tool"]["read_only"], &test["level"]), (&true.into(), &"metadata".into()));
        std::fs::remove_dir_all(place).unwrap();
    }

    fn a_second_log_in_the_place_of_the_first() {
        let place = place_of("lost::init::a_second_log_in_the_place_of_the_first");
        audited::init(place.join("first")).unwrap().close().unwrap();
        let guard = audited::init(place.join("second")).unwrap();
        calls();
        // The subscriber of the first start stays, with the layer of the log that is closed.
        assert_eq!(in_the_way(), ["not_installed"]);
        guard.close().unwrap();
        assert_log(&place.join("second"), CALLS);
        std::fs::remove_dir_all(place).unwrap();
    }

    fn no_log_and_one_that_was_closed() {
        assert_eq!(names(&audited::doctor()), ["no_log"]);
        assert_eq!(audit_core::unrecorded::count(), 0, "the doctor's own call is not counted");
        let directory = tempfile::tempdir().unwrap();
        let log = Log::open(directory.path().join("log")).unwrap();
        let _layer = audited::layer(&log);
        log.close().unwrap();
        for _ in 0..2 {
            let diagnosis = audited::doctor();
            assert_eq!((names(&diagnosis), diagnosis.is_recording()), (vec!["log_closed"], false));
            assert_eq!(diagnosis.way(), Way::None);
        }
    }

    fn a_log_that_refuses_and_one_that_does_not_answer() {
        let memory = Memory::new();
        let layer = memory.layer().with_filter(audit_filter());
        tracing_subscriber::registry().with(layer).try_init().unwrap();
        memory.refuse(AppendErrorKind::DiskFull);
        let diagnosis = audited::doctor();
        assert_eq!((names(&diagnosis), diagnosis.is_recording()), (vec!["refused"], false));
        let error = diagnosis.strict().unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected nothing in the way of the audit, found: calls are NOT recorded; their spans are not\n  blocks \
             [refused]: the log refused the record of the self-test: the disk is full: a test"
        );
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is full: a test");
        memory.accept();
        assert!(audited::doctor().is_clear());
        assert_eq!(LevelFilter::current(), LevelFilter::TRACE);
    }

    fn calls_that_went_unrecorded() {
        calls();
        let memory = Memory::new();
        tracing_subscriber::registry().with(memory.layer()).try_init().unwrap();
        let diagnosis = audited::doctor();
        assert!(diagnosis.is_clear() && diagnosis.names("calls_unrecorded"), "{diagnosis}");
        assert!(diagnosis.to_string().contains(&format!("note [calls_unrecorded]: {CALLS} calls")), "{diagnosis}");
    }
}
