//! Many processes: each writes a log of its own, and the logs are read together.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::thread::JoinHandle;

use audit_cli::Exit;
use audit_store::streams::{StreamReport, verify_streams};
use audit_store::verify::Verdict;
use audited::{Log, audited};
use serde_json::Value;
use testkit::{in_a_process_with, place_of};

/// Where a worker finds the test that it works for.
const ADDRESS: &str = "AUDITED_TEST_ADDRESS";

#[audited(action = "job.step")]
fn step(n: u32) -> u32 {
    n + 1
}

#[audited(action = "job.last")]
fn last() {
    let id = std::process::id().to_string();
    std::process::Command::new("kill").args(["-KILL", &id]).status().unwrap();
    std::thread::park();
}

/// A process that does as it is told.
struct Worker {
    connection: BufReader<TcpStream>,
    process: Option<JoinHandle<Output>>,
}

impl Worker {
    /// Starts a process that runs the test of the given name, which is to call [`work`] there.
    fn start(test: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let process = std::thread::spawn(move || {
            let output = in_a_process_with(test, &[(ADDRESS, &address.to_string())], || unreachable!("it works"));
            // A process that ends before it connects is not waited for.
            drop(TcpStream::connect(address));
            output.unwrap()
        });
        let (connection, _) = listener.accept().unwrap();
        Self { connection: BufReader::new(connection), process: Some(process) }
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.connection.get_mut(), "{command}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        if self.connection.read_line(&mut answer).unwrap() == 0 {
            let output = self.wait();
            panic!("the process ended, {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        answer.trim_end().to_owned()
    }

    fn wait(&mut self) -> Output {
        self.process.take().unwrap().join().unwrap()
    }

    fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answer()
    }

    /// Waits for the end of the process, which must have gone well.
    fn end(mut self) {
        self.connection.get_ref().shutdown(Shutdown::Write).unwrap();
        let output = self.wait();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Does as the test says that started this process; false in the test itself.
fn work(log: &Path) -> bool {
    let Ok(address) = std::env::var(ADDRESS) else { return false };
    let connection = TcpStream::connect(address).unwrap();
    let mut guard = None;
    for command in BufReader::new(&connection).lines() {
        let answer = match command.unwrap().as_str() {
            "init" => {
                let opened = audited::init(log).unwrap();
                let name = opened.path().file_name().unwrap().to_string_lossy().into_owned();
                guard = Some(opened);
                name
            }
            "init again" => audited::init(log).unwrap_err().to_string(),
            "doctor" => {
                let diagnosis = audited::doctor();
                assert!(diagnosis.is_clear(), "{diagnosis}");
                diagnosis.findings().iter().map(|finding| format!("{finding};")).collect()
            }
            "close" => format!("{:?}", guard.take().unwrap().close()),
            "die" => {
                last();
                String::new()
            }
            n => audited::context().run("r").in_scope(|| step(n.parse().unwrap())).to_string(),
        };
        writeln!(&connection, "{answer}").unwrap();
    }
    true
}

/// Runs a command on the path and returns its output and its exit code.
fn run(command: &str, path: &Path, more: &[&str]) -> (String, Exit) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let arguments = ["audited", command, path.to_str().unwrap()].into_iter().chain(more.iter().copied());
    let exit = audit_cli::run(arguments, &mut stdout, &mut stderr);
    assert!(stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    (String::from_utf8(stdout).unwrap(), exit)
}

/// Returns the verdict on each log, by its name.
fn verdicts(path: &Path) -> Vec<(String, Verdict)> {
    let verdict = |report: &StreamReport| (report.stream.name().to_owned(), report.verdict());
    verify_streams(path).unwrap().iter().map(verdict).collect()
}

fn events(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log.join("segments/00000000000000000000.jsonl")).unwrap();
    let event =
        |line| serde_json::from_str::<Value>(line).unwrap()["record"]["event_name"].as_str().unwrap().to_owned();
    text.lines().map(event).collect()
}

#[test]
fn three_processes_that_begin_at_once_have_a_log_each_and_are_read_together() {
    let test = "processes::three_processes_that_begin_at_once_have_a_log_each_and_are_read_together";
    let place = place_of(test);
    let log = place.join("log");
    if work(&log) {
        return;
    }
    let mut workers: Vec<Worker> = (0..3).map(|_| Worker::start(test)).collect();
    workers.iter_mut().for_each(|worker| worker.tell("init"));
    let mut named: Vec<(String, Worker)> = workers.into_iter().map(|mut worker| (worker.answer(), worker)).collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["log", "log.1", "log.2"]);
    let mut workers: Vec<Worker> = named.into_iter().map(|(_, worker)| worker).collect();

    assert_eq!(workers[0].ask("doctor"), "");
    let expect = format!("another process held the log: records of this one go to {}.2;", log.display());
    assert_eq!(workers[2].ask("doctor"), expect);
    for worker in &mut workers {
        assert_eq!(
            worker.ask("init again"),
            "expected one `audited::init` at a time, found an earlier one still at work"
        );
    }
    // By turns, so that the order of time is none of the logs' own.
    for n in 0..9_u32 {
        assert_eq!(workers[n as usize * 2 % 3].ask(&n.to_string()), (n + 1).to_string());
    }
    for mut worker in workers {
        assert_eq!(worker.ask("close"), "Ok(())");
        worker.end();
    }

    let intact = |name: &str| (name.to_owned(), Verdict::Intact);
    for path in [&log, &place] {
        assert_eq!(verdicts(path), ["log", "log.1", "log.2"].map(intact));
        assert_eq!(run("verify", path, &[]).1, Exit::Success);
        let (text, exit) = run("timeline", path, &["--run", "r"]);
        let seen: Vec<String> = text
            .lines()
            .filter(|line| line.contains("✓ ok"))
            .map(|line| line.split(' ').next().unwrap().into())
            .collect();
        assert_eq!(
            (seen.join(" "), exit),
            ("log log.2 log.1 log log.2 log.1 log log.2 log.1".to_owned(), Exit::Success)
        );
        let arguments = (0..9).map(|n| text.find(&format!("{{\"n\":{n}}}")).unwrap()).collect::<Vec<_>>();
        assert!(arguments.is_sorted(), "{text}");
        let (text, _) = run("show", path, &["--json", "--action", "job.*"]);
        let values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((values.len(), &values[2]["log"]), (18, &"log.2".into()));
    }
    let (text, _) = run("verify", &place.join("log.1"), &["--json"]);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["verdict"], "intact", "one log is told as one");

    let segment = place.join("log.1/segments/00000000000000000000.jsonl");
    let stored = std::fs::read_to_string(&segment).unwrap();
    std::fs::write(&segment, stored.replacen("{\"n\":2}", "{\"n\":7}", 1)).unwrap();
    for path in [&log, &place] {
        let (text, exit) = run("verify", path, &["--json"]);
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&told["verdict"], exit), (&"tampered".into(), Exit::Negative));
        let of_each: Vec<&Value> = told["logs"].as_array().unwrap().iter().map(|log| &log["verdict"]).collect();
        assert_eq!(of_each, ["intact", "tampered", "intact"]);
        assert_eq!(told["logs"][1]["log"], place.join("log.1").to_str().unwrap());
    }
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_process_that_was_killed_leaves_its_log_to_the_next_one() {
    let test = "processes::a_process_that_was_killed_leaves_its_log_to_the_next_one";
    let place = place_of(test);
    let log = place.join("log");
    if work(&log) {
        return;
    }
    let start = |expect: &str| {
        let mut worker = Worker::start(test);
        assert_eq!(worker.ask("init"), expect);
        worker
    };
    let mut workers = vec![start("log"), start("log.1"), start("log.2")];
    let mut killed = workers.remove(1);
    assert_eq!(killed.ask("1"), "2");
    killed.tell("die");
    assert!(!killed.wait().status.success());
    workers.push(start("log.1"));
    workers.push(start("log.3"));
    for mut worker in workers {
        assert_eq!(worker.ask("2"), "3");
        assert_eq!(worker.ask("close"), "Ok(())");
        worker.end();
    }
    assert!(verdicts(&log).iter().all(|(_, verdict)| *verdict == Verdict::Intact));
    let call = ["tool.called", "side_effect.applied"];
    let again = ["log.opened", "log.recovered", "tool.abandoned"];
    let expect = [&["log.opened"], &call[..], &["tool.called"], &again, &call, &["log.closed"]].concat();
    assert_eq!(events(&place.join("log.1")), expect);
    // Nobody holds any of them now, so the first one is the lowest.
    let opened = Log::options().open_or_sibling(&log).unwrap();
    assert_eq!(opened.path(), log);
    opened.close().unwrap();
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn a_log_that_is_there_and_cannot_be_opened_is_not_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let log: PathBuf = directory.path().join("log");
    let held = Log::open(&log).unwrap();
    std::fs::write(directory.path().join("log.1"), "a letter").unwrap();
    let error = Log::options().open_or_sibling(&log).unwrap_err();
    assert!(error.is_not_a_log() && error.path() == directory.path().join("log.1"), "{error}");
    held.close().unwrap();
    let (text, exit) = run("verify", &log, &["--json"]);
    assert_eq!(exit, Exit::Error);
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&told["verdict"], &told["logs"][1]["verdict"]), (&"unverifiable".into(), &"unverifiable".into()));
    assert_eq!(told["logs"][0]["verdict"], "intact");
}
