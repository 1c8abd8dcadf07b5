//! A log with keys and a seal, evidence of one of its records, and the check of that evidence without the log.
//!
//! `cargo run --example signed_log`

use std::fs;
use std::path::Path;

use audited::keys::{SealKey, VerificationKey, create_key_file, create_seal};
use audited::{Log, audited};

#[audited(action = "mail.send", effect = "write", redact = [body])]
fn send(to: &str, body: &str) -> Result<usize, String> {
    if to.contains('@') { Ok(body.len()) } else { Err(format!("{to}: not an address")) }
}

fn main() -> anyhow::Result<()> {
    let directory = Path::new("target/signed-log");
    let log = directory.join("audit");
    let _none_at_the_first_run = fs::remove_dir_all(directory);
    fs::create_dir_all(directory)?;

    // What the operator does once. The verification key and the key of the seal are kept where the agent cannot write; the
    // secret stays with the agent, which replaces and destroys it again and again.
    let pinned = create_key_file(directory.join("audit.key"), "example.com/mailer")?.verification_key()?;
    let seal_key = SealKey::generate()?;
    create_seal(&log, &seal_key)?;

    // The agent.
    let guard = audited::init_with(&log, Log::options().key_file(directory.join("audit.key")))?;
    audited::context().agent("agent:mailer").on_behalf_of("usr_1").run("run_1").in_scope(|| {
        println!("sent: {:?}", send("ada@example.com", "Your order was shipped."));
        println!("sent: {:?}", send("nobody", "Hello?"));
    });
    guard.close()?;

    // The auditor, with the log.
    let report = audited::verify::Options::new().key(pinned.clone()).seal_key(seal_key).verify(&log)?;
    println!("{}: {} entries, {:?}", report.verdict, report.summary.entries, report.assurance.signed);
    anyhow::ensure!(report.is_intact(), "{:?}", report.finding);
    prove_and_check(&log, &pinned)
}

/// Somebody who has neither the log nor trust in who wrote it gets one file.
fn prove_and_check(log: &Path, pinned: &VerificationKey) -> anyhow::Result<()> {
    let run = |arguments: &[&str]| {
        let arguments = std::iter::once("audited").chain(arguments.iter().copied());
        audit_cli::run(arguments, &mut std::io::stdout(), &mut std::io::stderr()).code()
    };
    let file = log.with_extension("tlog-proof");
    let (log, evidence) = (log.display().to_string(), file.display().to_string());
    anyhow::ensure!(run(&["prove", &log, "--number", "2", "-o", &evidence]) == 0, "no evidence could be made");
    anyhow::ensure!(run(&["check", &evidence, "--key", &pinned.to_string()]) == 0, "the evidence does not verify");
    Ok(())
}
