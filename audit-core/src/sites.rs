//! The census: which functions of a program are audited, and which are not on purpose.
//!
//! Each `#[audited]` leaves a descriptor in a section of the program that the linker gathers. [`sites`] reads it at run
//! time; [`find`] finds the same in the bytes of a binary that is not run, in which each site also stands as one line of
//! text: a marker, then the fields, each after a unit separator (U+001F), up to a group separator (U+001D).

use core::fmt;

use crate::call::registry;

/// What each line of the census begins with; the number is that of its format.
pub const MARKER: &str = "\u{1d}audited site/1";

/// What each exemption begins with.
pub const EXEMPT_MARKER: &str = "\u{1d}audited exempt/1";

const FIELD: char = '\u{1f}';
const END: char = '\u{1d}';

/// How long one line may be.
const LINE_BYTES_MAX: usize = 16 << 10;

/// One audited function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct AuditedSite {
    /// What is done, in the business' words.
    pub action: String,
    /// The tool's name.
    pub tool: String,
    /// `read`, `write` or `destructive`.
    pub effect: String,
    /// How much is recorded: `metadata`, `request` or `request_response`.
    pub level: String,
    /// The module that the function stands in.
    pub module: String,
    /// The source file, as the compiler was given it.
    pub file: String,
    /// The line of the attribute.
    pub line: u32,
    /// The redaction paths.
    pub redact: Vec<String>,
    /// The parameters that are not captured.
    pub skip: Vec<String>,
}

/// A function that is not audited on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ExemptSite {
    /// The tool's name.
    pub tool: String,
    /// Why it is not audited.
    pub reason: String,
    /// The module that the function stands in.
    pub module: String,
    /// The source file.
    pub file: String,
    /// The line of the attribute.
    pub line: u32,
}

/// What a census found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// The audited functions, sorted by action.
    pub sites: Vec<AuditedSite>,
    /// The exempt ones, sorted by tool.
    pub exemptions: Vec<ExemptSite>,
}

/// Returns every audited function of this program, and every exempt one.
///
/// A function that the linker left out because nothing calls it is not among them.
#[must_use]
pub fn sites() -> Census {
    let sites = registry::sites().iter().filter_map(|site| AuditedSite::parse(site.census));
    let exemptions = registry::exemptions().iter().filter_map(|exemption| ExemptSite::parse(exemption.census));
    Census { sites: sites.collect(), exemptions: exemptions.collect() }.sorted()
}

/// Finds the census in the bytes of a binary, whatever its format.
#[must_use]
pub fn find(binary: &[u8]) -> Census {
    let sites = lines(binary, MARKER).filter_map(AuditedSite::parse);
    let exemptions = lines(binary, EXEMPT_MARKER).filter_map(ExemptSite::parse);
    Census { sites: sites.collect(), exemptions: exemptions.collect() }.sorted()
}

/// Returns the lines that begin with the marker.
fn lines<'b>(binary: &'b [u8], marker: &'static str) -> impl Iterator<Item = &'b str> {
    let mut rest = binary;
    core::iter::from_fn(move || {
        loop {
            let start = position(rest, marker.as_bytes())?;
            let line = rest.get(start..)?;
            rest = line.get(marker.len()..)?;
            let end = rest.iter().take(LINE_BYTES_MAX).position(|&byte| byte == END as u8);
            let text = end.and_then(|end| core::str::from_utf8(line.get(..=marker.len() + end)?).ok());
            if text.is_some() {
                return text;
            }
        }
    })
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let &first = wanted.first()?;
    let mut from = 0;
    loop {
        from += bytes.get(from..)?.iter().position(|&byte| byte == first)?;
        if bytes.get(from..)?.starts_with(wanted) {
            return Some(from);
        }
        from += 1;
    }
}

/// Returns the fields of a line, if there are as many as expected.
fn fields<'l, const N: usize>(line: &'l str, marker: &str) -> Option<[&'l str; N]> {
    let body = line.strip_prefix(marker)?.strip_suffix(END)?.strip_prefix(FIELD)?;
    let fields: Vec<&str> = body.split(FIELD).collect();
    fields.try_into().ok()
}

impl Census {
    fn sorted(mut self) -> Self {
        self.sites.sort();
        self.sites.dedup();
        self.exemptions.sort();
        self.exemptions.dedup();
        self
    }

    /// Demands, in a test, that every tool of a router is audited or exempt.
    ///
    /// ```
    /// # fn tools_of_the_router() -> Vec<&'static str> { Vec::new() }
    /// audit_core::sites::sites().demand(tools_of_the_router());
    /// ```
    ///
    /// # Panics
    /// Some are not; it names them, and what is audited.
    #[track_caller]
    pub fn demand<N: AsRef<str>>(&self, tools: impl IntoIterator<Item = N>) {
        let missing = self.missing(tools);
        let known: Vec<&str> = self.sites.iter().map(|site| site.tool.as_str()).collect();
        assert!(
            missing.is_empty(),
            "expected every tool to be `#[audited]` or `exempt(\"reason\")`, found neither on {missing:?}; audited are {known:?}"
        );
    }

    /// Returns the tools of a router that are neither audited nor exempt.
    pub fn missing<N: AsRef<str>>(&self, tools: impl IntoIterator<Item = N>) -> Vec<String> {
        let known = |tool: &str| {
            self.sites.iter().any(|site| site.tool == tool) || self.exemptions.iter().any(|site| site.tool == tool)
        };
        tools.into_iter().map(|tool| tool.as_ref().to_owned()).filter(|tool| !known(tool)).collect()
    }
}

impl AuditedSite {
    fn parse(line: &str) -> Option<Self> {
        let [action, tool, effect, level, module, file, number, redact, skip] = fields(line, MARKER)?;
        let list = |text: &str| text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        Some(Self {
            action: action.to_owned(),
            tool: tool.to_owned(),
            effect: effect.to_owned(),
            level: level.to_owned(),
            module: module.to_owned(),
            file: file.to_owned(),
            line: number.parse().ok()?,
            redact: list(redact),
            skip: list(skip),
        })
    }
}

impl ExemptSite {
    fn parse(line: &str) -> Option<Self> {
        let [tool, reason, module, file, number] = fields(line, EXEMPT_MARKER)?;
        Some(Self {
            tool: tool.to_owned(),
            reason: reason.to_owned(),
            module: module.to_owned(),
            file: file.to_owned(),
            line: number.parse().ok()?,
        })
    }
}

impl fmt::Display for AuditedSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, tool, effect, file, line, .. } = self;
        write!(f, "{action} ({tool}, {effect}) at {file}:{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "\u{1d}audited site/1\u{1f}order.refund\u{1f}refund\u{1f}destructive\u{1f}request\u{1f}shop\u{1f}src/shop.rs\u{1f}7\u{1f}card,customer.ssn\u{1f}note\u{1d}";
    const EXEMPT: &str =
        "\u{1d}audited exempt/1\u{1f}clock\u{1f}reads the time\u{1f}shop\u{1f}src/shop.rs\u{1f}9\u{1d}";

    #[test]
    fn sites_are_found_among_other_bytes() {
        let binary =
            [b"\x7fELF\x1d\x1daudited site/1\x1fcut off".as_slice(), SITE.as_bytes(), b"\xff", EXEMPT.as_bytes()];
        let census = find(&binary.concat());
        assert_eq!(census.sites.len(), 1);
        assert_eq!(census.sites[0].to_string(), "order.refund (refund, destructive) at src/shop.rs:7");
        assert_eq!(census.sites[0].redact, ["card", "customer.ssn"]);
        assert_eq!((census.sites[0].level.as_str(), &census.sites[0].skip[..]), ("request", &["note".to_owned()][..]));
        assert_eq!(census.exemptions[0].reason, "reads the time");
        assert_eq!(census.missing(["refund", "clock", "mail"]), ["mail"]);
        census.demand(["refund", "clock"]);
    }

    #[test]
    #[should_panic(expected = "found neither on [\"mail\"]; audited are [\"refund\"]")]
    fn a_tool_that_was_forgotten_is_named() {
        find(SITE.as_bytes()).demand(["refund", "mail"]);
    }
}
