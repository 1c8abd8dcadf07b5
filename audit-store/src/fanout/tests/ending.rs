//! How a secondary ends: by an error, by being closed, with its last handle.

use super::*;

#[test]
fn a_final_error_ends_a_secondary() {
    let bench = bench(|options| options);
    bench.append(&["1", "2", "3"]);
    bench.controls.takes(&["1"]);
    assert_eq!(bench.controls.next(), "2");
    bench.controls.answer(Answer::Refused(AppendErrorKind::Poisoned));
    bench.controls.is_gone();
    bench.append(&["4"]);
    assert_eq!(bench.primary.records().len(), 4);
    let health = bench.health();
    assert_eq!((health.delivered(), health.dropped(), health.queued()), (1, 3, 0));
    assert!(matches!(health.condition(), Condition::Failed(fault) if fault.kind() == AppendErrorKind::Poisoned));
    assert_eq!(health.stalled_since(), Some(Time::from_unix(Duration::from_secs(3))));
    let line = "audited: the secondary sink `siem` gets no more records, and 2 that waited are dropped: \
                the log accepts nothing more until it is opened again: found a test";
    assert_eq!(bench.told(), [line]);
    assert_eq!(bench.close(), (1, 3));
}

#[test]
fn closing_delivers_what_is_queued_and_states_what_is_missing() {
    let bench = bench(|options| options.queue_records_max(2));
    bench.append(&["1", "2", "3"]);
    assert_eq!(bench.controls.next(), "1");
    let fanout = bench.fanout.clone();
    let closing = thread::spawn(move || fanout.close());
    bench.controls.answer(Answer::Kept);
    bench.controls.takes(&["2"]);
    assert_eq!(bench.controls.next_dropped().0, 1);
    bench.controls.answer(Answer::Kept);
    let health = closing.join().unwrap().remove(0);
    bench.controls.is_gone();
    assert_eq!((health.delivered(), health.dropped()), (2, 1));
    assert!(matches!(health.condition(), Condition::Closed));

    // What comes later is counted.
    bench.append(&["4"]);
    assert_eq!(bench.close(), (2, 2));
    assert_eq!(bench.told().len(), 1);
}

#[test]
fn a_record_that_comes_while_a_secondary_is_closed_is_stated_too() {
    let bench = bench(|options| options);
    bench.append(&["1"]);
    assert_eq!(bench.controls.next(), "1");
    bench.fanout.secondaries[0].0.begin_closing();
    bench.append(&["2"]);
    bench.controls.answer(Answer::Kept);
    assert_eq!(bench.controls.next_dropped(), (1, ["2", "2"].map(str::to_owned)));
    bench.controls.answer(Answer::Kept);
    assert_eq!(bench.close(), (1, 1));
    assert!(bench.told()[0].ends_with("it was closed"), "{:?}", bench.told());
}

#[test]
fn the_last_handle_closes_and_does_not_wait_for_secondaries_that_hang() {
    let Bench { fanout, controls, told, .. } = bench(|options| options.timeout(Duration::from_millis(1)));
    let (sink, other) = hanging();
    let options = SecondaryOptions::new().timeout(Duration::from_millis(1));
    let fanout = fanout.secondary_telling("other", sink, &options, telling().0);
    for record in ["1", "2"] {
        assert!(append_to(&fanout, record).now().unwrap().is_ok());
    }
    assert_eq!((controls.next(), other.next()), ("1".to_owned(), "1".to_owned()));
    let last = fanout.clone();
    drop(fanout);
    assert!(told.lock().unwrap().is_empty(), "it is not the last handle");
    // Both hang in their append until this has ended.
    drop(last);
    let line = "audited: the secondary sink `siem` was closed before it took 2 records that waited";
    assert_eq!(*told.lock().unwrap(), [line]);
    // A thread that was left behind lets go of its sink as soon as that returns, and gives it nothing more.
    for controls in [controls, other] {
        controls.answer(Answer::Kept);
        controls.is_gone();
        assert!(controls.seen.try_recv().is_err());
    }
}

#[test]
fn a_sink_that_hangs_while_it_is_dropped_is_left_behind() {
    struct Stuck(Mutex<Receiver<()>>);
    impl Sink for Stuck {
        fn append(&self, _: &Prepared<'_>) -> Receipt {
            Receipt::accepted()
        }
    }
    impl Drop for Stuck {
        fn drop(&mut self) {
            let _released = self.0.lock().unwrap().recv();
        }
    }
    let (release, stuck) = channel::<()>();
    let options = SecondaryOptions::new().timeout(Duration::from_millis(1));
    let fanout = Fanout::new(Memory::default()).secondary("stuck", Stuck(Mutex::new(stuck)), &options);
    drop(fanout);
    drop(release);
}

#[test]
fn a_panicking_drop_of_a_sink_is_no_hang() {
    struct Panicking;
    impl Sink for Panicking {
        fn append(&self, _: &Prepared<'_>) -> Receipt {
            Receipt::accepted()
        }
    }
    impl Drop for Panicking {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a test"));
        }
    }
    let options = SecondaryOptions::new().timeout(Duration::from_secs(3_600));
    let fanout = Fanout::new(Memory::default()).secondary("panicking", Panicking, &options);
    assert_eq!(fanout.close().len(), 1);
}

#[test]
fn a_weak_handle_keeps_neither_the_primary_nor_the_secondaries() {
    /// A primary that is kept by its owner and by this, and not by its weak handles.
    #[derive(Clone)]
    struct Owned(Arc<Memory>);
    impl Sink for Owned {
        fn append(&self, prepared: &Prepared<'_>) -> Receipt {
            self.0.append(prepared)
        }
        fn weak(&self) -> Option<Arc<dyn Sink>> {
            Some(Arc::new((*self.0).clone()))
        }
    }
    let owner = Arc::new(Memory::default());
    let (sink, controls) = hanging();
    let (tell, told) = telling();
    let options = SecondaryOptions::new();
    let fanout = Fanout::new(Owned(Arc::clone(&owner))).secondary_telling("copy", sink, &options, tell);
    let weak = fanout.weak().unwrap();
    assert!(append_to(&*weak, "1").now().unwrap().is_ok());
    controls.takes(&["1"]);

    drop(fanout);
    controls.is_gone();
    assert_eq!(Arc::strong_count(&owner), 1);
    assert!(append_to(&*weak, "2").now().unwrap().is_ok());
    assert_eq!(owner.records(), ["1", "2"]);
    let line = "audited: the secondary sink `copy` misses records, which the primary has and which are counted: \
                it was closed";
    assert_eq!(*told.lock().unwrap(), [line]);
    owner.close();
    assert!(!weak.is_open());
}
