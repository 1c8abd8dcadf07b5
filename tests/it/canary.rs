//! The canary run: random values with secrets in them go through calls, by every method of removal, and no byte of a
//! secret comes out anywhere; with the rules off the same harness finds its canaries everywhere.

mod outputs;
mod planting;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use audit_core::privacy::{Method, Pattern, Privacy, Subject};
use audited::canary::Canaries;
use audited::keyring::{FileKeyRing, TenantKey};
use audited::{Log, audited};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use outputs::{Telemetry, Watched, command_line, debug_texts};
use planting::{Node, Planter, Shape, shapes};

/// How many structures there are at least, each of which goes through every method.
const STRUCTURES: u32 = 10_000;

/// After how many structures the log is looked into and begun anew.
const STRUCTURES_OF_A_LOG: usize = 500;

/// What a call is made of.
#[derive(Debug)]
struct Planted {
    tree: Node,
    marked: Node,
    note: String,
    target: String,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    Returns(Node),
    Fails(String),
    Panics(String),
}

impl End {
    fn reach(&self) -> Result<Node, String> {
        match self {
            Self::Returns(node) => Ok(node.clone()),
            Self::Fails(text) => Err(text.clone()),
            Self::Panics(text) => panic!("{text}"),
        }
    }
}

macro_rules! tools {
    ($($name:ident [$($redact:tt)*])+) => {$(
        #[audited(
            action = "canary.call",
            level = "request_response",
            skip(planted, end),
            fields(note = planted.note),
            target(type = "order", id = planted.target),
            redact = [$($redact)*]
        )]
        fn $name(tree: &Node, marked: &Node, planted: &Planted, end: &End) -> Result<Node, String> {
            let _captured = (tree, marked, planted);
            end.reach()
        }
    )+};
}

tools! {
    dropped [marked.a[].b, return.hidden?]
    masked [mask(marked.a[].b, last_four), mask(return.hidden?)]
    tokenised [token(marked.a[].b), token(return.hidden?)]
    sealed [seal(marked.a[].b, subject = marked.who), seal(return.hidden?)]
    bare []
}

type Tool = fn(&Node, &Node, &Planted, &End) -> Result<Node, String>;

/// What the default rules remove, removed by one method.
fn privacy(method: Method) -> Privacy {
    let names = [
        "password",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "authorization",
        "cookie",
        "private_key",
        "card_number",
        "cvv",
        "ssn",
        "pin",
    ];
    let named = names.iter().fold(Privacy::builder(), |builder, name| builder.name(name, method));
    let patterns = Pattern::ALL.iter().filter(|pattern| **pattern != Pattern::UsSsn);
    let ruled = patterns.fold(named, |builder, pattern| builder.pattern(*pattern, method));
    ruled.build()
}

/// Makes a call of a shape: the arguments and the result have it, the end is one of three.
fn plant(planter: &mut Planter, shape: &Shape, ending: usize) -> Planted {
    let tree = planter.fill(shape);
    let hidden = Node::Text(planter.secret());
    let kept = Node::Text(planter.neighbour());
    let marked = Node::Map(vec![
        ("a".to_owned(), Node::List(vec![Node::Map(vec![("b".to_owned(), hidden), ("keep".to_owned(), kept)])])),
        ("who".to_owned(), Node::Text("user-1".to_owned())),
    ]);
    let (note, target) = (planter.looking(0), planter.looking(2));
    // What a text quotes is what stands in the arguments, and what looks like a secret.
    let quoted = format!("no {} with {}, {note} or {target}", planter.quotable.join(" "), planter.looking(ending % 5));
    let end = match ending % 3 {
        0 => {
            let result = planter.fill(shape);
            let hidden = Node::Text(planter.canaries.text());
            Node::Map(vec![("hidden".to_owned(), hidden), ("tree".to_owned(), result)]).pipe(End::Returns)
        }
        1 => End::Fails(quoted),
        _ => End::Panics(quoted),
    };
    Planted { tree, marked, note, target, end }
}

trait Pipe: Sized {
    fn pipe<R>(self, into: impl FnOnce(Self) -> R) -> R {
        into(self)
    }
}

impl Pipe for Node {}

/// A log and everything else that a call can reach.
struct Place {
    directory: TempDir,
    guard: audited::Guard,
    sink: Watched,
    telemetry: Telemetry,
    subscriber: tracing::Dispatch,
}

impl Place {
    fn new(privacy: Privacy) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ring = directory.path().join("ring");
        FileKeyRing::create(&ring).unwrap();
        let ring = FileKeyRing::open(&ring, TenantKey::generate().unwrap()).unwrap();
        let log = Log::options().key_ring(Arc::new(ring)).privacy(privacy).open(directory.path().join("log")).unwrap();
        let (guard, sink, telemetry) = (log.guard(), Watched::new(log), Telemetry::default());
        let subscriber = tracing::Dispatch::new(telemetry.subscriber(&sink));
        Self { directory, guard, sink, telemetry, subscriber }
    }

    /// Makes the call; returns what the sink was given, and what telemetry wrote.
    fn call(&self, tool: Tool, planted: &Planted, planter: &mut Planter) -> [(&'static str, Vec<u8>); 3] {
        let context = audited::context().agent(planter.looking(2)).on_behalf_of("user-1").run("run-1");
        IN_CALL.set(true);
        let returned = tracing::dispatcher::with_default(&self.subscriber, || {
            context.in_scope(|| {
                say(&planted.target, &planted.note);
                catch_unwind(AssertUnwindSafe(|| tool(&planted.tree, &planted.marked, planted, &planted.end)))
            })
        });
        IN_CALL.set(false);
        assert_eq!(returned.is_err(), matches!(planted.end, End::Panics(_)));
        let texts = debug_texts(&[&self.sink, &self.guard, &audited::context()]);
        [("records", self.sink.take()), ("telemetry", self.telemetry.take()), ("debug texts", texts.into_bytes())]
    }

    /// Closes the log; returns its directory and what the command line says of it.
    fn close(self) -> (TempDir, Vec<u8>) {
        drop(self.subscriber);
        self.guard.close().unwrap();
        let log = self.directory.path().join("log");
        let said = command_line(&log, &self.directory.path().join("exported"));
        (self.directory, said)
    }
}

/// Records an event, with secrets in everything that it may say.
fn say(key: &str, card: &str) {
    let event = audited::event("decision.proposed").reason(format!("with {key}")).target("key", key);
    event.annotation("note", card).annotation("password", &[key, card]).record().unwrap();
}

/// What was found of neighbours.
#[derive(Debug, Default)]
struct Survival {
    kept: usize,
    all: usize,
    /// How many removals the method made, and not a drop in its place.
    removals: usize,
}

fn check_case(
    place: &Place,
    (method, tool): (Method, Tool),
    planter: &mut Planter,
    case: &(Shape, usize),
) -> Result<Survival, TestCaseError> {
    planter.quotable.clear();
    let before = planter.neighbours.len();
    let planted = plant(planter, &case.0, case.1);
    let outputs = place.call(tool, &planted, planter);
    // All at once: most of the time goes into getting ready to look.
    let all = outputs.each_ref().map(|(_, bytes)| bytes.as_slice()).join(&b'\n');
    let leaks = planter.canaries.find("the outputs", &all);
    prop_assert!(leaks.is_empty(), "{} in {}", leaks[0], String::from_utf8_lossy(&all));
    let records = String::from_utf8_lossy(&outputs[0].1);
    let neighbours = &planter.neighbours[before..];
    let kept = neighbours.iter().filter(|neighbour| records.contains(neighbour.as_str())).count();
    let removals = records.matches(&format!(r#""method":"{}""#, method.as_str())).count();
    Ok(Survival { kept, all: neighbours.len(), removals })
}

thread_local! {
    static IN_CALL: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Silences the panics of calls, which are no failure and would be ten thousand lines.
fn quiet_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !IN_CALL.get() {
            usual(panic);
        }
    }));
}

#[test]
fn canary_no_dropped_secret_comes_out() {
    run("canary::canary_no_dropped_secret_comes_out", Method::Drop, dropped);
}

#[test]
fn canary_no_masked_secret_comes_out() {
    run("canary::canary_no_masked_secret_comes_out", Method::Mask { last_four: true }, masked);
}

#[test]
fn canary_no_secret_with_a_token_comes_out() {
    run("canary::canary_no_secret_with_a_token_comes_out", Method::Token, tokenised);
}

#[test]
fn canary_no_sealed_secret_comes_out() {
    run("canary::canary_no_sealed_secret_comes_out", Method::Seal(Subject::OnBehalfOf), sealed);
}

/// Sends all structures through one method, in a process whose panics are its own.
fn run(test: &str, method: Method, tool: Tool) {
    let inside = || {
        quiet_panics();
        send(method, tool);
    };
    let Some(output) = testkit::in_a_process_of_its_own(test, inside) else { return };
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn send(method: Method, tool: Tool) {
    let state =
        std::cell::RefCell::new((Place::new(privacy(method)), Canaries::seeded(0), Survival::default(), 0_usize));
    let config = Config { cases: STRUCTURES, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, proptest::test_runner::TestRng::deterministic_rng(Default::default()));
    let ran = runner.run(&(shapes(), 0..3_usize), |case| {
        let mut state = state.borrow_mut();
        let (place, planted, survival, count) = &mut *state;
        *count += 1;
        let mut planter = Planter::new(*count as u64, true);
        let found = check_case(place, (method, tool), &mut planter, &case)?;
        survival.kept += found.kept;
        survival.all += found.all;
        survival.removals += found.removals;
        planted.absorb(planter.canaries);
        if count.is_multiple_of(STRUCTURES_OF_A_LOG) {
            let (directory, said) = std::mem::replace(place, Place::new(privacy(method))).close();
            planted.assert_absent_below(directory.path()).unwrap();
            planted.assert_absent("the command line", &said);
            *planted = Canaries::seeded(0);
        }
        Ok(())
    });
    ran.unwrap();
    let (_, _, survival, count) = state.into_inner();
    assert!(count >= STRUCTURES as usize);
    // Without keys or a subject everything would be dropped, and nothing could come out.
    assert!(survival.removals > count, "{method:?} was not at work: {survival:?}");
    assert!(survival.kept * 100 >= survival.all * 99, "too much is removed by {method:?}: {survival:?}");
}

#[test]
fn canary_with_the_rules_off_every_output_holds_canaries() {
    let inside = || {
        quiet_panics();
        let off = Privacy::builder().without_rules().build();
        let place = Place::new(off);
        let mut planter = Planter::new(7, false);
        let mut found = std::collections::BTreeMap::new();
        let mut runner = TestRunner::deterministic();
        for ending in 0..60 {
            let shape = shapes().new_tree(&mut runner).unwrap().current();
            planter.quotable.clear();
            let planted = plant(&mut planter, &shape, ending);
            for (output, bytes) in place.call(bare, &planted, &mut planter) {
                *found.entry(output).or_insert(0) += planter.canaries.find(output, &bytes).len();
            }
        }
        let (directory, said) = place.close();
        let kinds = |leaks: &[audited::canary::Leak]| {
            leaks.iter().map(|leak| leak.kind).collect::<std::collections::BTreeSet<_>>()
        };
        let in_files = planter.canaries.find_below(directory.path()).unwrap();
        let in_command_line = planter.canaries.find("the command line", &said);
        assert!(found["records"] > 100 && found["telemetry"] > 10, "{found:?}");
        assert!(in_files.len() > 100 && in_command_line.len() > 100);
        let all = ["API key", "IBAN", "card number", "number", "password", "text", "web token"];
        assert_eq!(kinds(&in_files).into_iter().collect::<Vec<_>>(), all);
    };
    let output =
        testkit::in_a_process_of_its_own("canary::canary_with_the_rules_off_every_output_holds_canaries", inside);
    let Some(output) = output else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Makes the same calls each time, and hands them over.
fn each_planted(count: usize, mut take: impl FnMut(&Planted)) -> Planter {
    let mut planter = Planter::new(11, true);
    let mut runner = TestRunner::deterministic();
    for index in 0..count {
        let shape = shapes().new_tree(&mut runner).unwrap().current();
        planter.quotable.clear();
        // A panic is printed by the program itself.
        take(&plant(&mut planter, &shape, index % 2));
    }
    planter
}

#[test]
fn canary_nothing_is_printed() {
    let test = "canary::canary_nothing_is_printed";
    let place = testkit::place_of(test);
    let inside = || {
        let guard = audited::init(&place).unwrap();
        tracing::info!("telemetry is on");
        let _planted = each_planted(200, |planted| {
            let _returned = dropped(&planted.tree, &planted.marked, planted, &planted.end);
            say(&planted.target, &planted.note);
            let (note, key) = (planted.note.as_str(), planted.target.as_str());
            let span = tracing::info_span!(target: "audit", "tool", audit.action = "canary.span", note, password = key);
            span.in_scope(|| tracing::info!(target: "audit", { audit.action = "canary.event", note }, "with {key}"));
        });
        guard.close().unwrap();
    };
    let Some(output) = testkit::in_a_process_with(test, &[("RUST_LOG", "trace")], inside) else { return };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("telemetry is on"), "{stderr}");
    let planter = each_planted(200, |_| {});
    planter.canaries.assert_absent("the standard error", &output.stderr);
    planter.canaries.assert_absent("the standard output", &output.stdout);
    planter.canaries.assert_absent_below(&place).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
}
