//! An audited agent beside OpenTelemetry: its calls as traces, its log as OTLP log records, both at a collector.
//!
//! ```sh
//! cargo run -p audit-otel --example opentelemetry
//! ```
//! Without `OTEL_EXPORTER_OTLP_ENDPOINT` it starts the collector that the tests use, which needs Python, runs itself again with
//! that variable, and shows what arrived.

#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use audited::audited;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

#[audited(action = "order.find", effect = "read")]
fn find_order(order: &str) -> Option<u32> {
    (order == "ORD-1").then_some(1200)
}

#[audited(action = "order.refund", redact = [card], target(type = "order", id = order))]
fn refund(order: &str, card: &str) -> Result<u32, String> {
    find_order(order).ok_or_else(|| format!("no {order} was paid with {card}"))
}

/// The agent: this is all that an application has.
fn agent(log: &Path) -> Result<(), Box<dyn Error>> {
    let guard = audited::init(log)?;
    let context = audited::context().agent("agent:support-7").on_behalf_of("usr_1").run("run_1").conversation("conv_1");
    context.in_scope(|| {
        let _turn = tracing::info_span!("turn").entered();
        for order in ["ORD-1", "ORD-2"] {
            let _answered = refund(order, "4242 4242 4242 4242");
        }
    });
    guard.close()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/opentelemetry-example");
    let log = place.join("audit");
    if std::env::var_os(ENDPOINT).is_some() {
        return agent(&log);
    }
    let _earlier = fs::remove_dir_all(&place);
    fs::create_dir_all(&place)?;
    let receiver = Receiver::start(&place.join("received"))?;
    let status = Command::new(std::env::current_exe()?).env(ENDPOINT, &receiver.url).status()?;
    assert!(status.success(), "the agent ended with {status}");
    show(&receiver.stop()?);
    println!("\nthe log says the same: audited timeline {} --run run_1", fs::canonicalize(&log)?.display());
    Ok(())
}

/// Shows the names of the spans and events, and that no card number is among what arrived.
fn show(received: &str) {
    for line in received.lines().map(str::trim_start) {
        if let Some(name) = line.strip_prefix("Name           : ") {
            println!("span        {name}");
        } else if let Some(name) = line.strip_prefix("EventName: ") {
            println!("log record  {name}");
        }
    }
    assert!(!received.contains("4242"), "a card number arrived");
}

/// The collector, which prints to a file.
struct Receiver {
    process: std::process::Child,
    url: String,
    output: PathBuf,
}

impl Receiver {
    fn start(output: &Path) -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receiver/run");
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process =
            Command::new(script).args(["receiver", &port.to_string()]).stdout(File::create(output)?).spawn()?;
        let receiver = Self { process, url: format!("http://127.0.0.1:{port}"), output: output.to_owned() };
        // The first time it is installed.
        let deadline = Instant::now() + Duration::from_secs(120);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the collector did not start");
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(receiver)
    }

    /// Lets it print what it has, and returns that.
    fn stop(mut self) -> Result<String, Box<dyn Error>> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut text = String::new();
        // The last log record says that the log was closed, the last span is that of the turn.
        while !(text.contains("log.closed") && text.contains(": turn")) {
            assert!(Instant::now() < deadline, "not all arrived: {text}");
            std::thread::park_timeout(Duration::from_millis(50));
            text = fs::read_to_string(&self.output)?;
        }
        self.process.kill()?;
        self.process.wait()?;
        Ok(text)
    }
}
