//! What the benchmark is asked to do.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use testkit::bench;

/// The parts of the benchmark, in their order.
pub(crate) const SECTIONS: [&str; 6] = ["calls", "sustained", "disk", "verification", "rest", "memory"];

/// What the benchmark is asked to do.
#[derive(Debug)]
pub(crate) struct Settings {
    /// How many records a log has whose writing or verification is timed.
    pub(crate) records: u64,
    /// How many records a log has whose memory is looked at.
    pub(crate) memory_records: u64,
    /// Whether the document is written.
    pub(crate) document: bool,
    /// The parts to run; all if empty.
    chosen: Vec<String>,
    directory: PathBuf,
}

impl Settings {
    /// Reads the arguments: `--full`, `--document`, `--records NUMBER`, and the names of the parts to run.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut settings = Self {
            records: 1_000_000,
            memory_records: 1_000_000,
            document: false,
            chosen: Vec::new(),
            directory: bench::directory().join("engine"),
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--full" => settings.memory_records = 10_000_000,
                "--document" => settings.document = true,
                "--records" => settings.records = arguments.next().unwrap_or_default().parse()?,
                // Cargo says so to every benchmark.
                "--bench" => {}
                part if SECTIONS.contains(&part) => settings.chosen.push(argument),
                _ => bail!("expected --full, --document, --records NUMBER or one of {SECTIONS:?}, found {argument:?}"),
            }
        }
        if settings.document && !settings.chosen.is_empty() {
            bail!("the document is written of all parts at once");
        }
        Ok(settings)
    }

    /// Tells whether a part is to be run.
    pub(crate) fn wants(&self, section: &str) -> bool {
        self.chosen.is_empty() || self.chosen.iter().any(|chosen| chosen == section)
    }

    /// Returns a directory that does not exist yet, in cargo's target directory.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf> {
        let path = self.directory.join(name);
        remove(&path)?;
        Ok(path)
    }

    /// Makes the directory for the benchmark's files, empty: a database server that runs as another user looks into it.
    pub(crate) fn prepare(&self) -> Result<()> {
        self.clean()?;
        Ok(std::fs::create_dir_all(&self.directory)?)
    }

    /// Removes all that the benchmark has left.
    pub(crate) fn clean(&self) -> Result<()> {
        remove(&self.directory)
    }

    /// Returns the kind of the file system that the files lie on.
    pub(crate) fn file_system(&self) -> String {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let place = bench::directory();
        let holding = mounts.lines().filter_map(|mount| {
            let mut words = mount.split(' ').skip(1);
            let (point, kind) = (words.next()?, words.next()?);
            place.starts_with(point).then_some((point.len(), kind))
        });
        holding.max_by_key(|(length, _)| *length).map_or("an unknown file system", |(_, kind)| kind).to_owned()
    }
}

/// Removes a directory, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault.into()),
        _ => Ok(()),
    }
}
