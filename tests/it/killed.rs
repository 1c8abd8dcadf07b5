//! The kill test: a process that records on four threads dies at moments nobody chose, and nothing that it was told to be
//! recorded is missing.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use audit_store::verify::Verdict;
use audited::{Log, audited, verify_log};
use serde_json::Value;
use tempfile::TempDir;
use tracing_subscriber::layer::SubscriberExt as _;

const TEST: &str = "killed::whenever_a_process_is_killed_what_it_was_told_is_in_the_log_once";
/// Tells the process that is killed where its log is, and which of the processes of this log it is.
const LOG: &str = "AUDITED_TEST_KILLED_LOG";
const LIFE: &str = "AUDITED_TEST_KILLED_LIFE";

const LOGS: u64 = 75;
const LIVES: u64 = 4;
const THREADS: u64 = 4;
/// How many of the processes must have died with records in the journal that were in no segment.
const DRAINED_MIN: usize = 100;

#[audited(action = "kill.step")]
fn step(n: u64) -> u64 {
    // The record of the beginning was appended.
    tell('b', n);
    n
}

/// Writes to the pipe that outlives this process, with one system call, so that no line is ever half there.
fn tell(what: char, n: u64) {
    std::io::stderr().write_all(format!("{what}{n}\n").as_bytes()).unwrap();
}

/// The process that is killed: it opens the log, waits to be told to go on, and makes calls until it dies.
fn work(log: &str) {
    eprintln!("started");
    // A small journal, so that its halves are used by turns while the process lives.
    let log = Log::options().journal_bytes(256 * 1024).open(log).unwrap();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(audited::layer(&log))).unwrap();
    eprintln!("opened");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let life: u64 = std::env::var(LIFE).unwrap().parse().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let first = (life * THREADS + thread) * 1_000_000;
            scope.spawn(move || {
                for n in first.. {
                    step(n);
                    tell('e', n);
                }
            });
        }
    });
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// While the system still loads it.
    Loading,
    /// While it opens the log and recovers what the one before left.
    Opening,
    /// After so many calls have begun or ended.
    Recording(u64),
}

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn moment(&mut self) -> Moment {
        match self.below(20) {
            0 => Moment::Loading,
            1 | 2 => Moment::Opening,
            // Most die early, while the writing thread has yet to notice that there is something to do.
            _ => {
                let doublings = self.below(8);
                Moment::Recording(1 + self.below(1 << doublings))
            }
        }
    }
}

/// What the processes of one log have told.
#[derive(Default)]
struct Told {
    begun: Vec<u64>,
    ended: Vec<u64>,
}

impl Told {
    fn note(&mut self, line: &str) {
        match (line.get(..1), line.get(1..).map(str::parse)) {
            (Some("b"), Some(Ok(n))) => self.begun.push(n),
            (Some("e"), Some(Ok(n))) => self.ended.push(n),
            _ => panic!("the process that is killed failed: {line}"),
        }
    }
}

/// A running process.
struct Process {
    child: Child,
    pipe: BufReader<ChildStderr>,
}

impl Process {
    fn start(log: &Path, life: u64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]).env(LOG, log).env(LIFE, life.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pipe = BufReader::new(child.stderr.take().unwrap());
        Self { child, pipe }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.pipe.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }

    fn expect(&mut self, expected: &str) {
        assert_eq!(self.line().as_deref(), Some(expected));
    }

    fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// Kills the process and notes what it had still told.
    fn kill(mut self, told: &mut Told) {
        self.child.kill().unwrap();
        assert!(!self.child.wait().unwrap().success());
        while let Some(line) = self.line() {
            if !["started", "opened"].contains(&line.as_str()) {
                told.note(&line);
            }
        }
    }
}

/// How often the log says of a call that it began, ended, and was given up.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stages {
    started: u32,
    completed: u32,
    abandoned: u32,
}

/// What one log holds, as far as it was read.
struct Book {
    log: PathBuf,
    read_bytes: u64,
    calls: HashMap<String, Stages>,
    /// The call of each number that was told.
    ids: HashMap<u64, String>,
    /// How many openings found records in the journal that were in no segment.
    drained: usize,
    /// How many entries say that records were dropped.
    dropped: usize,
}

impl Book {
    fn new(log: PathBuf) -> Self {
        Self { log, read_bytes: 0, calls: HashMap::new(), ids: HashMap::new(), drained: 0, dropped: 0 }
    }

    /// Reads what was added; the log is far too short for a second segment.
    fn read(&mut self) {
        let mut file = File::open(self.log.join("segments/00000000000000000000.jsonl")).unwrap();
        file.seek(SeekFrom::Start(self.read_bytes)).unwrap();
        let mut text = String::new();
        self.read_bytes += file.read_to_string(&mut text).unwrap() as u64;
        assert!(text.ends_with('\n'), "a line that is not whole was left");
        for line in text.lines() {
            let record = serde_json::from_str::<Value>(line).unwrap()["record"].take();
            self.note(&record);
        }
    }

    fn note(&mut self, record: &Value) {
        let name = record["event_name"].as_str().unwrap();
        self.drained += usize::from(record["annotations"]["drained"].as_u64() > Some(0));
        self.dropped += usize::from(name == "records.dropped");
        let Some(id) = record["call"]["id"].as_str() else { return };
        let stages = self.calls.entry(id.to_owned()).or_default();
        match record["stage"].as_str().unwrap() {
            "started" => {
                stages.started += 1;
                let n = record["request"]["arguments"]["n"].as_u64().unwrap();
                assert_eq!(self.ids.insert(n, id.to_owned()), None, "call {n} began twice");
            }
            "completed" => stages.completed += 1,
            "abandoned" => stages.abandoned += 1,
            other => panic!("{other}"),
        }
    }

    /// Checks the log after it was opened again, while nobody writes it.
    fn check(&mut self, told: &Told) {
        let report = verify_log(&self.log).unwrap();
        assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.finding);
        assert!(report.summary.open_calls.is_empty());
        self.read();
        let completed = Stages { started: 1, completed: 1, abandoned: 0 };
        let abandoned = Stages { started: 1, completed: 0, abandoned: 1 };
        for (id, stages) in &self.calls {
            assert!([&completed, &abandoned].contains(&stages), "call {id}: {stages:?}");
        }
        let stages = |n: &u64| self.ids.get(n).and_then(|id| self.calls.get(id));
        for n in &told.begun {
            assert!(stages(n).is_some(), "call {n} began and is not in the log");
        }
        for n in &told.ended {
            assert_eq!(stages(n), Some(&completed), "call {n} ended");
        }
    }
}

/// What came of the processes of one log.
#[derive(Default)]
struct Tally {
    kills: usize,
    drained: usize,
    told: usize,
    abandoned: u64,
}

fn kill_again_and_again(log: PathBuf, random: &mut Random) -> Tally {
    let mut book = Book::new(log);
    let (mut told, mut kills) = (Told::default(), 0);
    for life in 0..LIVES {
        let mut process = Process::start(&book.log, life);
        let moment = random.moment();
        if !matches!(moment, Moment::Loading) {
            process.expect("started");
        }
        if let Moment::Recording(count) = moment {
            process.expect("opened");
            book.check(&told);
            process.go();
            (0..count).for_each(|_| told.note(&process.line().unwrap()));
        }
        process.kill(&mut told);
        kills += 1;
    }
    // The processes dropped nothing. What this one's other tests made it miss, it states when it opens a log.
    assert_eq!(book.dropped, 0);
    Log::open(&book.log).unwrap().close().unwrap();
    book.check(&told);
    let abandoned = verify_log(&book.log).unwrap().summary.abandoned;
    Tally { kills, drained: book.drained, told: told.begun.len() + told.ended.len(), abandoned }
}

#[test]
fn whenever_a_process_is_killed_what_it_was_told_is_in_the_log_once() {
    if let Ok(log) = std::env::var(LOG) {
        return work(&log);
    }
    // A killed process loses nothing that the kernel has: where the logs lie does not matter, and in memory nobody waits
    // for the device.
    let memory = Path::new("/dev/shm");
    let directory = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
    let mut random = Random(0x2026_1121_0807_0001);
    let mut sum = Tally::default();
    for number in 0..LOGS {
        let tally = kill_again_and_again(directory.path().join(number.to_string()), &mut random);
        sum.kills += tally.kills;
        sum.drained += tally.drained;
        sum.told += tally.told;
        sum.abandoned += tally.abandoned;
    }
    println!(
        "{} kills, {} of them with records in the journal alone; {} beginnings and ends told, {} calls given up",
        sum.kills, sum.drained, sum.told, sum.abandoned
    );
    assert_eq!(sum.kills, 300);
    assert!(sum.drained >= DRAINED_MIN, "{}", sum.drained);
    assert!(sum.abandoned > 0);
}
