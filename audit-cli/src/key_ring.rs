//! `audited key-ring`: makes and shows key rings, and begins new epochs of tokens.

use std::path::PathBuf;

use anyhow::Context as _;
use audit_store::keyring::{FileKeyRing, TenantKey};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::Exit;
use crate::output::Output;
use crate::ring::TenantKeyArguments;
use crate::text::identifier;

#[derive(Debug, Subcommand)]
#[command(after_long_help = "\
A key ring is a directory beside the log, never in it, and in no backup of it: whoever has a copy can read what was erased
later. Its keys are wrapped by the tenant's key, which lies elsewhere again. The program that writes the log opens the ring
with Options::key_ring.

Examples:
  audited key-ring new /var/lib/orders/ring --tenant-key-file /etc/orders/tenant.key
  audited key-ring show /var/lib/orders/ring --tenant-key-env TENANT_KEY --tenant acme
  audited key-ring rotate /var/lib/orders/ring --tenant-key-env TENANT_KEY --tenant acme")]
pub(crate) enum KeyRing {
    /// Make an empty key ring, and the file of the tenant's key if there is none
    New(NewRing),
    /// Count the keys of a tenant
    Show(ShowRing),
    /// Begin a new epoch of a tenant's tokens: from now on the same value has another token
    Rotate(RotateRing),
}

#[derive(Debug, Args)]
pub(crate) struct NewRing {
    /// The directory, which must be empty or not there
    key_ring: PathBuf,
    /// The file of the tenant's key, which is made if it is not there
    #[arg(long, value_name = "FILE")]
    tenant_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowRing {
    /// The directory of the key ring
    key_ring: PathBuf,
    /// The tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    #[command(flatten)]
    tenant_key: TenantKeyArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RotateRing {
    /// The directory of the key ring
    key_ring: PathBuf,
    /// The tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    #[command(flatten)]
    tenant_key: TenantKeyArguments,
}

/// The keys as they are counted.
#[derive(Serialize)]
struct Account {
    key_ring: String,
    token_keys: u64,
    subject_keys: u64,
    erased: u64,
}

pub(crate) fn execute(arguments: &KeyRing, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    match arguments {
        KeyRing::New(arguments) => new(arguments, output),
        KeyRing::Show(arguments) => show(arguments, output),
        KeyRing::Rotate(arguments) => rotate(arguments, output),
    }
}

fn new(arguments: &NewRing, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    if let Some(file) = &arguments.tenant_key_file {
        // One that is there serves several rings.
        if file.try_exists().with_context(|| format!("could not look for {}", file.display()))? {
            TenantKey::read(file)?;
        } else {
            TenantKey::create(file)?;
            output.line(&format!("{:<17}{}", "tenant key", identifier(&file.display().to_string())))?;
        }
    }
    FileKeyRing::create(&arguments.key_ring)?;
    output.line(&format!("{:<17}{}", "key ring", identifier(&arguments.key_ring.display().to_string())))?;
    Ok(Exit::Success)
}

fn show(arguments: &ShowRing, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let ring = arguments.tenant_key.open(&arguments.key_ring)?;
    let Some(count) = ring.count(arguments.tenant.as_deref())? else {
        output.warn("the key ring has no key of this tenant");
        return Ok(Exit::Negative);
    };
    let account = Account {
        key_ring: arguments.key_ring.display().to_string(),
        token_keys: count.token_keys,
        subject_keys: count.subject_keys,
        erased: count.erased,
    };
    if arguments.json {
        output.json(&serde_json::to_string(&account).context("could not write the account as JSON")?)?;
        return Ok(Exit::Success);
    }
    let lines =
        [("token keys", account.token_keys), ("subject keys", account.subject_keys), ("erased", account.erased)];
    output.line(&format!("{:<17}{}", "key ring", identifier(&account.key_ring)))?;
    lines.iter().try_for_each(|(name, count)| output.line(&format!("{name:<17}{count}")))?;
    Ok(Exit::Success)
}

fn rotate(arguments: &RotateRing, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let ring = arguments.tenant_key.open(&arguments.key_ring)?;
    output.line(&ring.rotate(arguments.tenant.as_deref())?)?;
    Ok(Exit::Success)
}
