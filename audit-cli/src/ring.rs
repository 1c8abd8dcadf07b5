//! What the commands share that need a key ring: how it is named and opened, and how what they do is recorded.

use std::env;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use audit_store::Log;
use audit_store::keyring::{FileKeyRing, TenantKey};
use audit_store::read::Lines;
use clap::Args;
use zeroize::Zeroizing;

use crate::arguments::Secrets;

/// How many bytes are read of a value, a subject or a reason.
const TEXT_BYTES_MAX: u64 = 65_536;

/// The key ring and the key that opens it.
#[derive(Debug, Args)]
pub(crate) struct Ring {
    /// The directory of the key ring
    #[arg(long, value_name = "DIR")]
    pub(crate) key_ring: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tenant_key: TenantKeyArguments,
}

/// Where the tenant's key is.
#[derive(Debug, Args)]
pub(crate) struct TenantKeyArguments {
    /// The file of the tenant's key
    #[arg(long, value_name = "FILE", conflicts_with = "tenant_key_env")]
    pub(crate) tenant_key_file: Option<PathBuf>,
    /// The environment variable that holds the tenant's key
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) tenant_key_env: Option<String>,
}

/// Who does something that is recorded.
#[derive(Debug, Args)]
pub(crate) struct By {
    /// Who you are, for the record; the name of the user by default
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Ring {
    pub(crate) fn open(&self) -> anyhow::Result<FileKeyRing> {
        let directory = self.key_ring.as_ref().context("expected --key-ring, the directory of the key ring")?;
        self.tenant_key.open(directory)
    }
}

impl TenantKeyArguments {
    pub(crate) fn open(&self, directory: &Path) -> anyhow::Result<FileKeyRing> {
        Ok(FileKeyRing::open(directory, self.read()?)?)
    }

    fn read(&self) -> anyhow::Result<TenantKey> {
        match (&self.tenant_key_file, &self.tenant_key_env) {
            (Some(file), _) => Ok(TenantKey::read(file)?),
            (None, Some(variable)) => Ok(TenantKey::from_environment(variable)?),
            (None, None) => bail!("expected --tenant-key-file or --tenant-key-env, found neither"),
        }
    }
}

impl By {
    pub(crate) fn name(&self) -> anyhow::Result<String> {
        let name = self.by.clone().or_else(|| env::var("USER").ok()).unwrap_or_default();
        checked("--by", name, 0..=256)
    }
}

/// Takes a text from the command line, or all of the standard input, without the line feed at its end, for `-`.
pub(crate) fn text_or_stdin(name: &str, text: &str) -> anyhow::Result<Zeroizing<String>> {
    if text != "-" {
        return Ok(Zeroizing::new(text.to_owned()));
    }
    let mut read = Zeroizing::new(String::new());
    let taken = io::stdin().lock().take(TEXT_BYTES_MAX + 1).read_to_string(&mut read);
    let bytes = taken.with_context(|| format!("could not read {name} from the standard input"))? as u64;
    ensure!(bytes <= TEXT_BYTES_MAX, "expected {name} of at most {TEXT_BYTES_MAX} bytes, found more");
    let line = read.strip_suffix('\n').unwrap_or(&read);
    Ok(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

/// Refuses a text that a record has no room for.
pub(crate) fn checked(name: &str, text: String, bytes: core::ops::RangeInclusive<usize>) -> anyhow::Result<String> {
    let (least, most) = (bytes.start(), bytes.end());
    ensure!(bytes.contains(&text.len()), "expected {name} of {least} to {most} bytes, found {}", text.len());
    Ok(text)
}

/// Opens the log for what a person does to be recorded; the one beside it, `LOG.operator`, if a process holds it, or it
/// cannot be opened without its secrets. Nothing is made where there is no log.
pub(crate) fn open_for_record(log: &Path, secrets: &Secrets) -> anyhow::Result<(Log, PathBuf)> {
    let is_empty = Lines::open(log)?.next_line().transpose()?.is_none();
    ensure!(!is_empty, "{}: expected a log with entries, found none", log.display());
    let has_secrets = secrets.key_file.is_some() || secrets.signer_env.is_some();
    match secrets.give(Log::options())?.open(log) {
        Ok(opened) => Ok((opened, log.to_owned())),
        // A log with keys is not opened without them, and one that does not verify is left as it is.
        Err(fault) if fault.is_held() || !has_secrets => {
            let operator = operator(log)?;
            Ok((Log::open(&operator)?, operator))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Returns the log beside a log for what is recorded by hand.
pub(crate) fn operator(log: &Path) -> anyhow::Result<PathBuf> {
    let Some(name) = log.file_name() else { bail!("{}: expected a path that ends with a name", log.display()) };
    let mut name = name.to_owned();
    name.push(".operator");
    Ok(log.with_file_name(name))
}
