//! Futures that wait for the record of their call's intent, which may never reach the disk.

use audited::sink::AppendErrorKind;

use super::*;

mod returned {
    use super::*;

    #[derive(Debug, PartialEq)]
    pub struct Refused;

    impl From<audited::Unavailable> for Refused {
        fn from(_: audited::Unavailable) -> Self {
            Self
        }
    }

    #[audited(action = "wait.deny", effect = "destructive")]
    pub fn denies() -> BoxFuture<'static, Result<u32, Refused>> {
        Box::pin(async {
            step();
            Ok(1)
        })
    }

    #[audited(action = "wait.closure", effect = "destructive", on_unavailable = |_| 0)]
    pub fn answers() -> impl Future<Output = u32> {
        async {
            step();
            1
        }
    }

    #[audited(action = "wait.count", effect = "destructive", on_unavailable = "count")]
    pub fn counts() -> Reply<'static, u32> {
        Box::pin(async {
            step();
            Ok(1)
        })
    }
}

fn held(work: impl FnOnce(&Memory)) -> Vec<Value> {
    let memory = Memory::new();
    memory.hold();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || work(&memory));
    memory.records()
}

#[test]
fn the_first_poll_awaits_the_record_of_the_intent() {
    let records = held(|memory| {
        let mut future = returned::denies();
        assert!(poll_once(future.as_mut()).is_pending());
        assert_eq!(memory.records().len(), 1);
        memory.resolve(None);
        assert_eq!(poll_once(future.as_mut()), Poll::Ready(Ok(1)));
    });
    assert_eq!(stages(&records)[1], ("step", "started"));
    assert_eq!(stages(&records)[3], ("wait.deny", "completed"));
}

#[test]
fn a_record_that_does_not_reach_the_disk_refuses_the_call_late() {
    let fails = |memory: &Memory| memory.resolve(Some(AppendErrorKind::Io));
    let records = held(|memory| {
        let mut future = returned::denies();
        assert!(poll_once(future.as_mut()).is_pending());
        fails(memory);
        assert_eq!(poll_once(future.as_mut()), Poll::Ready(Err(returned::Refused)));
    });
    assert_eq!(stages(&records), [("wait.deny", "started"), ("wait.deny", "cancelled")]);
    let records = held(|memory| {
        let mut future = pin!(returned::answers());
        assert!(poll_once(future.as_mut()).is_pending());
        fails(memory);
        assert_eq!(poll_once(future.as_mut()), Poll::Ready(0));
    });
    assert_eq!(stages(&records), [("wait.closure", "started"), ("wait.closure", "cancelled")]);
    let records = held(|memory| {
        let mut future = returned::counts();
        assert!(poll_once(future.as_mut()).is_pending());
        fails(memory);
        assert_eq!(poll_once(future.as_mut()), Poll::Ready(Ok(1)));
    });
    assert_eq!(stages(&records)[1], ("step", "started"));
}

#[test]
fn without_a_log_a_future_that_denies_resolves_to_the_refusal() {
    let memory = Memory::new();
    memory.refuse(AppendErrorKind::Io);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(memory.layer()), || {
        assert_eq!(returned::denies().now_or_never(), Some(Err(returned::Refused)));
        assert_eq!(returned::answers().now_or_never(), Some(0));
        assert_eq!(returned::counts().now_or_never(), Some(Ok(1)));
    });
    assert_eq!(memory.records(), Vec::<Value>::new());
}

mod awaited {
    use super::returned::Refused;
    use super::*;

    /// Says on which side of the call's end it is dropped.
    #[derive(serde::Serialize)]
    pub struct Leaves;

    impl Drop for Leaves {
        fn drop(&mut self) {
            step();
        }
    }

    #[audited(action = "await.deny", effect = "destructive")]
    pub async fn denies(_leaves: Leaves) -> Result<u32, Refused> {
        Ok(1)
    }

    #[audited(action = "await.closure", effect = "destructive", on_unavailable = |_| 0)]
    pub async fn answers() -> u32 {
        step();
        1
    }

    #[audited(action = "await.parameter", effect = "destructive", on_unavailable = |_| words.len())]
    pub async fn answers_by(words: String) -> usize {
        step();
        words.len() + 1
    }

    #[audited(action = "await.count", effect = "destructive", on_unavailable = "count")]
    pub async fn counts() -> u32 {
        step();
        1
    }
}

/// Polls a future until it waits for its record, lets the record fail, and polls it to its end.
fn failing_late<F: Future>(future: F) -> (F::Output, Vec<Value>) {
    let mut output = None;
    let records = held(|memory| {
        let mut future = pin!(future);
        assert!(poll_once(future.as_mut()).is_pending());
        assert_eq!(memory.records().len(), 1);
        memory.resolve(Some(AppendErrorKind::Io));
        let Poll::Ready(returned) = poll_once(future.as_mut()) else { panic!("it still waits") };
        output = Some(returned);
    });
    (output.unwrap(), records)
}

#[test]
fn an_async_function_whose_record_does_not_reach_the_disk_is_refused_late() {
    let (output, records) = failing_late(awaited::denies(awaited::Leaves));
    assert_eq!(output, Err(returned::Refused));
    assert_eq!(stages(&records)[0], ("await.deny", "started"));
    assert_eq!(stages(&records)[3], ("await.deny", "cancelled"));
    assert_eq!(records[1]["call"]["parent_id"], records[0]["call"]["id"]);
    let (output, records) = failing_late(awaited::answers());
    assert_eq!((output, stages(&records).len()), (0, 2));
    let (output, records) = failing_late(awaited::answers_by("abc".to_owned()));
    assert_eq!((output, stages(&records).len()), (3, 2));
    let (output, records) = failing_late(awaited::counts());
    assert_eq!((output, stages(&records)[1]), (1, ("step", "started")));
}

#[test]
fn an_async_function_dropped_while_it_waits_for_its_record_did_nothing() {
    let records = held(|_| {
        let mut future = Box::pin(awaited::denies(awaited::Leaves));
        assert!(poll_once(future.as_mut()).is_pending());
    });
    let ends: Vec<&Value> = records.iter().filter(|record| record["event_name"] == "tool.cancelled").collect();
    assert_eq!(ends.len(), 1, "{records:#?}");
    assert_eq!(ends[0]["outcome"]["effect"], "none");
    assert_eq!(records[1]["call"]["parent_id"], records[0]["call"]["id"]);
    assert_eq!(stages(&records)[3], ("await.deny", "cancelled"));
}
