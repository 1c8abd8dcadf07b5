//! Trust policies, from files.

use std::path::Path;

use anyhow::Context as _;
use audit_core::policy::Policy;

pub(crate) fn read(file: &Path) -> anyhow::Result<Policy> {
    let bytes = std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    Policy::parse(&bytes).with_context(|| file.display().to_string())
}
