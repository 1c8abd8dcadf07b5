//! What the expansion of the attribute costs, beside those of others.

mod measure;
mod report;
mod subjects;

use anyhow::Result;

use crate::toolchain::{Profile, Toolchain};
use measure::Cost;
use subjects::{FUTURES, KINDS, Kind, Outermost, Subject};

/// All that is measured in one run.
#[derive(Debug)]
pub(crate) struct Costs {
    /// For each kind and profile, the cost of each subject.
    crates: Vec<(Kind, Profile, Vec<Cost>)>,
    futures: Vec<Futures>,
}

/// What is measured of the futures of one subject.
#[derive(Debug)]
pub(crate) struct Futures {
    subject: Subject,
    /// Bytes of the future of one function.
    size: u64,
    /// The deepest nesting that can be awaited.
    awaited: u32,
    /// The deepest nesting that can be spawned.
    spawned: u32,
}

/// Measures everything and writes the document.
pub(crate) fn run() -> Result<()> {
    let mut costs = Costs { crates: Vec::new(), futures: Vec::new() };
    for profile in [Profile::Dev, Profile::Release] {
        let toolchain = Toolchain::build(profile)?;
        for kind in KINDS {
            costs.crates.push((kind, profile, measure::crates(&toolchain, profile, kind)?));
        }
        if profile == Profile::Dev {
            for subject in FUTURES {
                costs.futures.push(Futures {
                    subject,
                    size: measure::future_size(&toolchain, subject)?,
                    awaited: measure::depth(&toolchain, subject, Outermost::Awaited)?,
                    spawned: measure::depth(&toolchain, subject, Outermost::Spawned)?,
                });
            }
        }
    }
    report::write(&costs)
}
