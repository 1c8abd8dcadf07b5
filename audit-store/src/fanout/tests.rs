use core::time::Duration;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};

use audit_core::hash::Hash;
use audit_core::id::{CallId, IdSource};
use audit_core::sink::{Appended, Completion, Condition};
use audit_core::time::{Clock, Time};
use audit_core::vocabulary::{Durability, Stage};
use serde_json::{Value, json};

use super::*;

mod ending;
mod serving;

/// A clock that stands still until it is told to go on. Both of its clocks show the same second.
#[derive(Default)]
struct Seconds(AtomicU64);

impl Seconds {
    fn go_on(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Seconds {
    fn now(&self) -> Time {
        Time::from_unix(self.steady())
    }

    fn steady(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// Identifiers that count.
#[derive(Default)]
struct Counted(AtomicU64);

impl IdSource for Counted {
    fn next(&self, _: Time) -> u128 {
        (7 << 76) | (2 << 62) | u128::from(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// A primary in memory, which takes everything while it is open.
#[derive(Clone, Default)]
struct Memory(Arc<(AtomicBool, Mutex<Vec<String>>)>);

impl Memory {
    fn records(&self) -> Vec<String> {
        self.0.1.lock().unwrap().clone()
    }

    fn close(&self) {
        self.0.0.store(true, Ordering::SeqCst);
    }
}

impl Sink for Memory {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        if !self.is_open() {
            return Receipt::ready(Err(AppendError::new(AppendErrorKind::Closed, "found it closed")));
        }
        self.0.1.lock().unwrap().push(String::from_utf8(prepared.record().to_vec()).unwrap());
        Receipt::ready(Ok(appended()))
    }

    fn is_open(&self) -> bool {
        !self.0.0.load(Ordering::SeqCst)
    }
}

fn appended() -> Appended {
    Appended { number: 0, leaf_hash: Hash::of(b"line"), durable: Durability::Os }
}

/// What a secondary answers to one append.
enum Answer {
    Kept,
    /// The record's place is not told, as nobody asked for it.
    Accepted,
    Refused(AppendErrorKind),
    /// The receipt resolves when the test says so, to whom the completion goes.
    Later,
    Panics,
}

/// A secondary that hangs in each append until the test answers it.
struct Hanging {
    seen: Sender<String>,
    answers: Mutex<Receiver<Answer>>,
    completions: Sender<Completion>,
    /// Tells the test that the sink was dropped.
    _gone: Sender<()>,
}

impl Sink for Hanging {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        let _test_ended = self.seen.send(String::from_utf8(prepared.record().to_vec()).unwrap());
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = |kind| Receipt::ready(Err(AppendError::new(kind, "found a test")));
        match answers.recv() {
            Ok(Answer::Kept) => Receipt::ready(Ok(appended())),
            Ok(Answer::Accepted) => Receipt::accepted(),
            Ok(Answer::Refused(kind)) => refused(kind),
            Ok(Answer::Later) => {
                let (completion, receipt) = Receipt::pending();
                self.completions.send(completion).unwrap();
                receipt
            }
            Ok(Answer::Panics) => std::panic::resume_unwind(Box::new("a test")),
            // The test is over, and hangs no longer.
            Err(_) => refused(AppendErrorKind::Closed),
        }
    }
}

/// The test's end of a [`Hanging`] sink.
struct Controls {
    seen: Receiver<String>,
    answers: Sender<Answer>,
    completions: Receiver<Completion>,
    gone: Receiver<()>,
}

impl Controls {
    /// Waits for the sink to be given a record.
    fn next(&self) -> String {
        self.seen.recv_timeout(AT_MOST).expect("the sink is given a record")
    }

    fn answer(&self, answer: Answer) {
        self.answers.send(answer).unwrap();
    }

    /// Waits for the sink to be given these records, which it takes.
    fn takes(&self, expected: &[&str]) {
        for record in expected {
            assert_eq!(self.next(), *record);
            self.answer(Answer::Kept);
        }
    }

    /// Waits for the sink to be told that records are missing, and returns how many, from when to when.
    fn next_dropped(&self) -> (u64, [String; 2]) {
        let record: Value = serde_json::from_str(&self.next()).unwrap();
        assert_eq!(record["event_name"], "records.dropped", "{record}");
        let second = |name: &str| {
            let time = Time::parse(record["annotations"][name].as_str().unwrap()).unwrap();
            time.since_unix().as_secs().to_string()
        };
        (record["log"]["dropped"].as_u64().unwrap(), [second("from"), second("to")])
    }

    /// Waits for the sink to be dropped.
    fn is_gone(&self) {
        assert_eq!(self.gone.recv_timeout(AT_MOST), Err(RecvTimeoutError::Disconnected));
    }
}

/// How long a test waits for what must come before it fails.
const AT_MOST: Duration = Duration::from_secs(60);

fn hanging() -> (Hanging, Controls) {
    let (seen, seen_by_test) = channel();
    let (answers_of_test, answers) = channel();
    let (completions, completions_for_test) = channel();
    let (gone, gone_for_test) = channel();
    let sink = Hanging { seen, answers: Mutex::new(answers), completions, _gone: gone };
    let controls = Controls {
        seen: seen_by_test,
        answers: answers_of_test,
        completions: completions_for_test,
        gone: gone_for_test,
    };
    (sink, controls)
}

/// A fan-out with one hanging secondary, and all that a test looks at.
struct Bench {
    /// Dropped before the fan-out, which would wait for a sink that hangs.
    controls: Controls,
    fanout: Fanout,
    primary: Memory,
    clock: Arc<Seconds>,
    told: Told,
}

/// Options under which a test, not the time, decides: what does not come would be waited for an hour.
fn options(clock: &Arc<Seconds>) -> SecondaryOptions {
    let options = SecondaryOptions::new().timeout(Duration::from_secs(3_600));
    options.clock(Arc::<Seconds>::clone(clock)).ids(Arc::new(Counted::default()))
}

fn bench(set: impl FnOnce(SecondaryOptions) -> SecondaryOptions) -> Bench {
    let clock = Arc::new(Seconds::default());
    let (sink, controls) = hanging();
    let primary = Memory::default();
    let (tell, told) = telling();
    let fanout = Fanout::new(primary.clone()).secondary_telling("siem", sink, &set(options(&clock)), tell);
    Bench { fanout, primary, controls, clock, told }
}

/// What is told, in place of stderr.
type Told = Arc<Mutex<Vec<String>>>;

fn telling() -> (Tell, Told) {
    let told = Told::default();
    let lines = Arc::clone(&told);
    (Arc::new(move |line: &str| lines.lock().unwrap().push(line.to_owned())), told)
}

impl Bench {
    /// Appends records of these texts, each a second after the last one; all are taken.
    fn append(&self, records: &[&str]) {
        for record in records {
            self.clock.go_on(1);
            let receipt = append_to(&self.fanout, record);
            assert!(receipt.now().unwrap().is_ok());
        }
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn health(&self) -> SecondaryHealth {
        self.fanout.secondaries().remove(0)
    }

    /// Closes the secondary and returns how many records it took and how many it did not.
    fn close(&self) -> (u64, u64) {
        let health = self.fanout.close().remove(0);
        assert_eq!(health.queued(), 0);
        (health.delivered(), health.dropped())
    }
}

fn append_to(sink: &dyn Sink, record: &str) -> Receipt {
    sink.append(&Prepared::new(record.as_bytes(), Stage::Event))
}
