//! The collector `rotel`, which nobody of this project wrote, and what it says that it received.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use testkit::workspace;

/// How long is waited for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A collector that runs.
pub(crate) struct Receiver {
    process: Child,
    port: u16,
    output: PathBuf,
}

/// A log record as the collector prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogRecord {
    pub(crate) event: String,
    pub(crate) body: String,
    pub(crate) trace: String,
    pub(crate) span: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// A span as the collector prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// Runs the script of the receiver's directory, which installs what it needs.
fn script(arguments: &[&str]) -> Command {
    let mut command = Command::new(workspace().join("audit-otel/tests/receiver/run"));
    command.args(arguments);
    command
}

/// Runs Python with what the checks of others need.
pub(crate) fn python(arguments: &[&str]) -> Output {
    script(&[&["python"], arguments].concat()).output().unwrap()
}

/// Returns a port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until there is something to return.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

impl Receiver {
    /// Starts a collector that prints to a file in this directory, after what an earlier one printed.
    pub(crate) fn start(directory: &Path, port: u16) -> Self {
        // The installation may take longer than a start.
        let installed = python(&["-c", "pass"]);
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        let output = directory.join("received");
        let open = || OpenOptions::new().append(true).create(true).open(&output).unwrap();
        let process = script(&["receiver", &port.to_string()]).stdout(open()).stderr(open()).spawn().unwrap();
        let receiver = Self { process, port, output };
        eventually("the start of the receiver", || TcpStream::connect(("127.0.0.1", port)).ok());
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills it; nothing of it goes on.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Returns all that was printed.
    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    /// Returns the log records that came, in their order.
    pub(crate) fn log_records(&self) -> Vec<LogRecord> {
        let text = self.text();
        items(&text, "LogRecord #").map(log_record).collect()
    }

    /// Returns the spans that came.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let text = self.text();
        items(&text, "Span #").map(span).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end();
    }
}

/// Splits what was printed into what stands below each such title.
fn items<'t>(text: &'t str, title: &'static str) -> impl Iterator<Item = &'t str> {
    const TITLES: [&str; 5] = ["LogRecord #", "Span #", "Resource", "Scope", "Metric #"];
    let is_title = |line: &str| TITLES.iter().any(|title| line.starts_with(title));
    let mut begins: Vec<usize> =
        text.lines().filter(|line| is_title(line)).map(|line| line.as_ptr().addr() - text.as_ptr().addr()).collect();
    begins.push(text.len());
    let ranges: Vec<&str> = begins.windows(2).map(|window| &text[window[0]..window[1]]).collect();
    ranges.into_iter().filter(move |item| item.starts_with(title))
}

/// Finds `name: value` in a line.
fn field(item: &str, name: &str) -> String {
    let line = item.lines().find_map(|line| line.trim_start().strip_prefix(name));
    let value = line.and_then(|rest| rest.trim_start().strip_prefix(':'));
    value.unwrap_or_else(|| panic!("no {name} in {item}")).trim().to_owned()
}

/// Takes the value out of `Str(…)` and the like.
fn value(text: &str) -> String {
    let (_, rest) = text.split_once('(').unwrap_or_default();
    rest.strip_suffix(')').unwrap_or(rest).to_owned()
}

/// Takes the body, which may be of several lines.
fn body(item: &str) -> String {
    let (_, body) = item.split_once("\nBody: Str(").unwrap();
    body.split_once(")\nAttributes:").unwrap().0.to_owned()
}

fn attributes(item: &str) -> BTreeMap<String, String> {
    let lines = item.lines().filter_map(|line| line.trim_start().strip_prefix("-> "));
    lines.filter_map(|line| line.split_once(": ")).map(|(name, text)| (name.to_owned(), value(text))).collect()
}

fn log_record(item: &str) -> LogRecord {
    LogRecord {
        event: field(item, "EventName"),
        body: body(item),
        trace: field(item, "Trace ID"),
        span: field(item, "Span ID"),
        attributes: attributes(item),
    }
}

fn span(item: &str) -> Span {
    Span {
        name: field(item, "Name"),
        trace: field(item, "Trace ID"),
        id: field(item, "ID"),
        parent: field(item, "Parent ID"),
        kind: field(item, "Kind"),
        status: field(item, "Status code"),
        attributes: attributes(item),
    }
}
