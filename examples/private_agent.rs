//! An agent that handles people's data: what its log leaves out, keeps linkable and keeps sealed, and how somebody is erased.
//!
//! `cargo run --example private_agent`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use audited::keyring::{FileKeyRing, KeyRing as _, TenantKey};
use audited::privacy::{Method, Opened, Privacy, Reading, SubjectErased, WholeRecord, open, sealed_at, tokens};
use audited::read::Lines;
use audited::{Capture, Log, audited};
use serde::Serialize;

/// What the operator says, without a change of the code.
const POLICY: &str = r#"
[redaction]
names.token = "phone"

[[rule]]
name = "parcels"
action = "parcel.*"
level = "request_response"
retention = "2y"
seal = { paths = ["note"], subject = "customer.account" }
"#;

/// What the type says of its members, wherever a customer is recorded.
#[derive(Serialize, Capture)]
struct Customer {
    account: &'static str,
    #[audit(seal(subject = account))]
    name: &'static str,
    #[audit(token)]
    email: &'static str,
    #[audit(mask(last_four))]
    iban: &'static str,
    phone: &'static str,
}

/// What the attribute says of a parameter.
#[audited(action = "parcel.send", effect = "write", redact = [seal(street, subject = customer.account)])]
fn send(customer: &Customer, street: &str, note: &str, door_code: u32) -> Result<usize, String> {
    let _code_of_the_door = door_code;
    if street.is_empty() { Err(format!("no street of {}", customer.name)) } else { Ok(note.len()) }
}

fn main() -> anyhow::Result<()> {
    let place = Place::new(Path::new("target/private-agent"))?;
    place.run_agent()?;

    println!("What the log has in place of the values:");
    let calls = place.calls()?;
    let call = calls.first().context("expected a call in the log, found none")?;
    for removal in call.value().pointer("/redactions").and_then(|list| list.as_array()).into_iter().flatten() {
        let text = |name: &str| removal.get(name).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
        println!("  {:<5} {:<34} {}", text("method"), text("path"), text("rule"));
    }

    println!("Who was `ann@example.org`? (audited lookup)");
    place.look_up(&calls, r#""ann@example.org""#)?;

    let log = Log::open(place.log())?;
    let street = "/request/arguments/street";
    println!("Where did the parcels go? (audited reveal)");
    calls.iter().try_for_each(|call| place.reveal(&log, call, street))?;

    println!("account-17 wants to be forgotten. (audited erase)");
    let erased = place.ring.erase(None, "account-17")?;
    println!("  {} key destroyed", erased.destroyed.len());
    log.record_erasure(&SubjectErased::new(erased.destroyed, "letter of 2026-11-02"))?;
    calls.iter().try_for_each(|call| place.reveal(&log, call, street))?;
    log.close()?;

    let report = audited::verify_log(place.log())?;
    println!("The log is {}: {} entries.", report.verdict, report.summary.entries);
    Ok(())
}

/// Where everything lies. The key ring and the tenant's key are where no backup of the log takes them along.
struct Place {
    directory: PathBuf,
    ring: Arc<FileKeyRing>,
}

impl Place {
    /// Makes the keys, as `audited key-ring new` does.
    fn new(directory: &Path) -> anyhow::Result<Self> {
        let _none_at_the_first_run = fs::remove_dir_all(directory);
        fs::create_dir_all(directory)?;
        fs::write(directory.join("policy.toml"), POLICY)?;
        let tenant_key = TenantKey::create(directory.join("tenant.key"))?;
        FileKeyRing::create(directory.join("ring"))?;
        let ring = Arc::new(FileKeyRing::open(directory.join("ring"), tenant_key)?);
        Ok(Self { directory: directory.to_owned(), ring })
    }

    fn log(&self) -> PathBuf {
        self.directory.join("audit")
    }

    fn run_agent(&self) -> anyhow::Result<()> {
        // What the log says of all calls, beside what it leaves out by default: passwords, keys, card numbers and the like.
        let privacy = Privacy::builder().name("door_code", Method::Drop).build();
        let options = Log::options().privacy(privacy).key_ring(self.ring.clone());
        let guard = audited::init_with(self.log(), options.policy_file(self.directory.join("policy.toml")))?;
        let customers = [
            ("account-17", "Ann Example", "ann@example.org", "Blumenweg 13"),
            ("account-18", "Bob Example", "bob@example.org", "Gartenstr. 2"),
        ];
        audited::context().agent("agent:parcels").run("run_1").in_scope(|| {
            for (account, name, email, street) in customers {
                let customer = Customer { account, name, email, iban: "GB82WEST12345698765432", phone: "555-0199" };
                println!("{name}: {:?}", send(&customer, street, "ring twice", 4711));
            }
        });
        Ok(guard.close()?)
    }

    /// Reads the records of the beginnings of calls.
    fn calls(&self) -> anyhow::Result<Vec<WholeRecord>> {
        let (log, mut calls) = (self.log(), Vec::new());
        let mut lines = Lines::open(&log)?;
        while let Some(line) = lines.next_line() {
            let record = WholeRecord::read(&log, line?.bytes)??;
            if record.text("/stage") == Some("started") {
                calls.push(record);
            }
        }
        Ok(calls)
    }

    /// Looks for the token of a value, given in JSON, which is stored nowhere.
    fn look_up(&self, calls: &[WholeRecord], value: &str) -> anyhow::Result<()> {
        for token in tokens(&*self.ring, None, value.as_bytes())? {
            for call in calls {
                let account = call.text("/request/arguments/customer/account").unwrap_or_default();
                call.places_of(&token.text).iter().for_each(|path| println!("  {account}, at {path}"));
            }
        }
        Ok(())
    }

    /// Shows a sealed value, once it is recorded that it is read.
    fn reveal(&self, log: &Log, call: &WholeRecord, path: &str) -> anyhow::Result<()> {
        let account = call.text("/request/arguments/customer/account").unwrap_or_default();
        let digest = sealed_at(call.value(), path).with_context(|| format!("expected a sealed value at {path}"))?;
        let Opened::Value { disclosure, key_id } = open(&self.log(), digest, &*self.ring, call.tenant())? else {
            println!("  {account}: nobody can tell any more");
            return Ok(());
        };
        let mut reading = Reading::new("audit", call.record_id().context("expected a record with its identifier")?);
        reading.paths.push(path.to_owned());
        reading.key_ids.push(key_id);
        reading.by = "the postman".to_owned();
        log.record_read(&reading)?;
        println!("  {account}: {}", disclosure.value());
        Ok(())
    }
}
