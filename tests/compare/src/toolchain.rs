//! The compiler, called as cargo calls it: the dependencies are built once, and each file in question on its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A profile of cargo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Profile {
    /// Without optimisation.
    Dev,
    /// With optimisation.
    Release,
}

impl Profile {
    /// The profile's name in documents.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// What cargo passes for the profile by default, save incremental compilation, which hides repeated work.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &["-Cdebuginfo=2", "-Cembed-bitcode=no"],
            Self::Release => &["-Copt-level=3", "-Cembed-bitcode=no"],
        }
    }
}

/// The built dependencies of all that is compared.
#[derive(Debug)]
pub(crate) struct Toolchain {
    profile: Profile,
    /// The libraries by the name of their crate.
    libraries: BTreeMap<String, PathBuf>,
    /// The directories in which rustc looks for the libraries' own dependencies.
    directories: Vec<PathBuf>,
}

impl Toolchain {
    /// Builds the workspace of the comparison and finds what came out.
    pub(crate) fn build(profile: Profile) -> Result<Self> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(root()).args(["build", "--workspace", "--lib", "--message-format=json-render-diagnostics"]);
        if profile == Profile::Release {
            cargo.arg("--release");
        }
        let output = cargo.stderr(std::process::Stdio::inherit()).output().context("cargo cannot be run")?;
        if !output.status.success() {
            bail!("the dependencies do not build");
        }
        let mut toolchain = Self { profile, libraries: BTreeMap::new(), directories: Vec::new() };
        for line in String::from_utf8(output.stdout)?.lines() {
            toolchain.take(&serde_json::from_str(line)?);
        }
        Ok(toolchain)
    }

    /// Takes note of an artifact that cargo tells of.
    fn take(&mut self, message: &Value) {
        let Some(name) = message.pointer("/target/name").and_then(Value::as_str) else { return };
        let files = message.get("filenames").and_then(Value::as_array).into_iter().flatten();
        for file in files.filter_map(Value::as_str).map(PathBuf::from) {
            if !file.extension().is_some_and(|extension| extension == "rlib" || extension == "so") {
                continue;
            }
            // The copy beside `deps` has no siblings; the one within has.
            let Some(directory) = file.parent() else { continue };
            let deps = if directory.ends_with("deps") { directory.to_owned() } else { directory.join("deps") };
            if !self.directories.contains(&deps) {
                self.directories.push(deps);
            }
            self.libraries.insert(name.replace('-', "_"), file);
        }
    }

    /// Prepares a call of rustc for one file.
    pub(crate) fn rustc(&self) -> Command {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.arg("--edition=2024").args(self.profile.flags());
        for directory in &self.directories {
            rustc.arg("-L").arg(format!("dependency={}", directory.display()));
        }
        rustc
    }

    /// Lets the file name a library, by an alias if it has one.
    pub(crate) fn give(&self, rustc: &mut Command, alias: &str, library: &str) -> Result<()> {
        let path = self.libraries.get(library).with_context(|| format!("no library {library} was built"))?;
        rustc.arg("--extern").arg(format!("{alias}={}", path.display()));
        Ok(())
    }
}

/// The directory of this comparison.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory that generated files go to.
pub(crate) fn generated(name: &str) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let directory = target.join("generated").join(name);
    std::fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    Ok(directory)
}

/// The directory that documents go to.
pub(crate) fn docs() -> PathBuf {
    root().join("../../docs")
}

/// The version of the compiler, as it says itself.
pub(crate) fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("rustc cannot be run")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The version of a package in the lock file.
pub(crate) fn version(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    let name = format!("name = \"{package}\"");
    let after = lock.lines().skip_while(|line| *line != name).nth(1).unwrap_or_default();
    let version = after.strip_prefix("version = \"").and_then(|rest| rest.strip_suffix('"'));
    version.map(str::to_owned).with_context(|| format!("{package} is not in Cargo.lock"))
}
