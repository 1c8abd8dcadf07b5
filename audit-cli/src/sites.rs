//! `audited sites`: which functions of a program are audited, and which are not on purpose.

use anyhow::Context as _;
use audit_core::sites::{AuditedSite, Census, find};
use serde_json::{Value, json};

use crate::Exit;
use crate::arguments::Sites;
use crate::output::Output;
use crate::table::{Column, Table};
use crate::text::escape;

/// Action, tool, effect, what is redacted, and the place in the source.
const COLUMNS: [Column; 5] =
    [Column::Left(40), Column::Left(32), Column::Left(11), Column::Left(48), Column::Left(usize::MAX)];

const HEADINGS: [&str; 5] = ["action", "tool", "effect", "redact", "source"];

pub(crate) fn execute(arguments: &Sites, output: &mut Output<'_>) -> anyhow::Result<Exit> {
    let path = &arguments.binary;
    let binary = std::fs::read(path).with_context(|| format!("{}: could not read the program", path.display()))?;
    let census = find(&binary);
    if census.sites.is_empty() && census.exemptions.is_empty() {
        output.warn(&format!("{}: no audited function is in it", path.display()));
        return Ok(Exit::Negative);
    }
    if arguments.json {
        output.json(&as_json(&census).to_string())?;
    } else {
        write(&census, output)?;
    }
    Ok(Exit::Success)
}

fn write(census: &Census, output: &mut Output<'_>) -> anyhow::Result<()> {
    let mut rows = vec![HEADINGS.map(str::to_owned).to_vec()];
    rows.extend(census.sites.iter().map(cells));
    rows.extend(census.exemptions.iter().map(|exempt| {
        let source = format!("{}:{}", exempt.file, exempt.line);
        let reason = format!("({})", exempt.reason);
        ["-", &exempt.tool, "exempt", &reason, &source].map(escape).to_vec()
    }));
    let mut table = Table::new(&COLUMNS);
    rows.iter().for_each(|cells| table.fit(cells));
    rows.iter().try_for_each(|cells| output.line(&table.set(cells)))
}

fn cells(site: &AuditedSite) -> Vec<String> {
    let redact = if site.redact.is_empty() { "-".to_owned() } else { site.redact.join(", ") };
    let source = format!("{}:{}", site.file, site.line);
    [&site.action, &site.tool, &site.effect, &redact, &source].map(|cell| escape(cell)).to_vec()
}

fn as_json(census: &Census) -> Value {
    let sites = census.sites.iter().map(|site| {
        json!({
            "action": site.action, "tool": site.tool, "effect": site.effect, "level": site.level,
            "redact": site.redact, "skip": site.skip, "module": site.module, "file": site.file, "line": site.line,
        })
    });
    let exemptions = census.exemptions.iter().map(|exempt| {
        json!({
            "tool": exempt.tool, "reason": exempt.reason,
            "module": exempt.module, "file": exempt.file, "line": exempt.line,
        })
    });
    json!({"sites": sites.collect::<Vec<_>>(), "exemptions": exemptions.collect::<Vec<_>>()})
}
