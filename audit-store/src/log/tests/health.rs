use audit_core::sink::Condition;

use super::*;

#[test]
fn a_log_tells_how_it_is() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    let weak = log.weak().unwrap();
    let open = |sink: &dyn Sink| matches!(sink.health().condition(), Condition::Open);
    assert!(open(&log) && open(&*weak));
    assert_eq!((log.health().refused(), log.health().abandoned()), (0, 0));
    for _ in 0..2 {
        assert!(log.append(&Prepared::new(b"no record", Stage::Event)).wait().is_err());
    }
    assert_eq!(log.health().refused(), 2);
    // That they are stated in the log does not make them less.
    begin(&log, 1).wait().unwrap();
    assert_eq!(weak.health().refused(), 2);

    IS_CHILD.set(true);
    assert!(matches!(weak.health().condition(), Condition::Forked));
    IS_CHILD.set(false);
    assert!(open(&log));
    log.close().unwrap();
    assert!(matches!(weak.health().condition(), Condition::Closed));
    drop(log);
    assert!(matches!(weak.health().condition(), Condition::Closed));

    // The call was left open.
    let log = options().open(&path).unwrap();
    assert_eq!(log.health().abandoned(), 1);
    log.close().unwrap();
    assert_eq!(options().open(&path).unwrap().health().abandoned(), 0);
}

#[test]
fn a_log_that_failed_tells_why() {
    let (_directory, path) = fresh();
    let log = options().open(&path).unwrap();
    fs::remove_file(path.join("segments/00000000000000000000.jsonl")).unwrap();
    assert!(begin_durably(&log, 1).wait().is_err());
    let health = log.health();
    let Condition::Failed(fault) = health.condition() else { panic!("expected a failure, found {health:?}") };
    assert_eq!(fault.kind(), AppendErrorKind::Replaced);
}

#[test]
fn figures_tell_what_there_is_to_do() {
    let (_directory, path) = fresh();
    let log = options().commit_interval(Duration::from_secs(3_600)).open(&path).unwrap();
    let before = log.figures();
    assert_eq!((before.queued_records, before.refused, before.uncovered), (0, 0, 0));
    begin(&log, 1).wait().unwrap();
    log.flush().unwrap();
    let after = log.figures();
    assert_eq!((after.queued_bytes, after.uncovered), (0, 1));
    log.close().unwrap();
    assert_eq!(log.figures().uncovered, 0);
}
