//! rustc and clippy find the same in audited code as in the plain one, `restriction` included.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fixtures::{Fixture, said};

/// What a lint is called and where it found something, and how often.
type Findings = BTreeMap<(usize, String), usize>;

const PLACE: &str = "src/lib.rs";

/// How much there is to find at least: fewer findings mean that clippy has not looked.
const CLIPPY_MIN: usize = 200;
const RUSTC_MIN: usize = 40;

/// A difference that comes with what the attribute does, and not with how.
struct Known {
    lint: &'static str,
    /// What the line of code begins with, where not every line is meant.
    at: &'static str,
    why: &'static str,
}

const fn known(lint: &'static str, at: &'static str, why: &'static str) -> Known {
    Known { lint, at, why }
}

/// What is found in the plain text alone.
const LOST: [Known; 13] = [
    known("clippy::missing_const_for_fn", "", "an audited function cannot be `const`"),
    known("clippy::implicit_return", "", "the last expression is that of a closure of ours"),
    known("clippy::needless_return", "", "the last expression is that of a closure of ours"),
    known("clippy::needless_pass_by_value", "", "the parameters are moved into a closure of ours"),
    known("clippy::ptr_arg", "pub fn borrowed", "the argument is taken as the type that it has"),
    known("clippy::needless_lifetimes", "pub fn borrowed", "the closure's return type names the lifetime"),
    known("clippy::elidable_lifetime_names", "pub fn boxed_alias", "the type of the result is named once more"),
    known("clippy::unused_async", "async fn idle", "there is an `await` now"),
    known("clippy::manual_async_fn", "pub fn future", "what is returned is no async block"),
    known("clippy::missing_errors_doc", "pub fn future", "what is returned is no async block"),
    known("unused_variables", "pub fn consuming", "the parameter is recorded"),
    known("clippy::arithmetic_side_effects", "let c = a + b", "clippy passes over arithmetic in what `call!` is given"),
    known("clippy::arithmetic_side_effects", "|x: u8| -> u8", "clippy passes over arithmetic in what `call!` is given"),
];

/// What is found in the audited text alone.
const ADDED: [Known; 1] =
    [known("clippy::default_numeric_fallback", "if sum == 1.0", "clippy reports it in closures, ours or not")];

/// Returns the text without the attribute, line by line.
fn plain(audited: &str) -> String {
    let is_of_the_attribute = |line: &&str| {
        let code = line.trim_start();
        line.ends_with("// audited")
            || ["#[audited(", "#[audit(", "use audited"].iter().any(|begin| code.starts_with(begin))
    };
    let lines = audited.lines().map(|line| if is_of_the_attribute(&line) { "//" } else { line });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// Has clippy read the text; it must compile.
fn findings(fixture: &Fixture, text: &str) -> Findings {
    fixture.write(PLACE, text);
    let output = fixture.cargo(["clippy", "--quiet", "--offline", "--message-format=json"]);
    assert!(
        output.status.success(),
        "clippy must be installed (`rustup component add clippy`) and the fixture must compile: {}",
        said(&output)
    );
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut findings = Findings::new();
    for message in messages.filter(|message| message["reason"] == "compiler-message") {
        let message = &message["message"];
        let Some(lint) = message["code"]["code"].as_str() else { continue };
        let spans = message["spans"].as_array().unwrap();
        let primary = spans.iter().find(|span| span["is_primary"] == true).unwrap();
        let line = line_of(primary);
        *findings.entry((line, lint.to_owned())).or_default() += 1;
    }
    findings
}

/// Returns the line of the fixture that a span stands in, or the macro call that it comes from.
fn line_of(span: &Value) -> usize {
    if span["file_name"] == PLACE {
        return usize::try_from(span["line_start"].as_u64().unwrap()).unwrap();
    }
    assert!(!span["expansion"].is_null(), "not in the fixture: {span}");
    line_of(&span["expansion"]["span"])
}

#[test]
fn lint_parity_of_rustc_and_clippy_with_restriction() {
    let fixture = Fixture::copy("lints").with_versions_of_the_workspace();
    let audited = fixture.read(PLACE);
    let (without, with) = (findings(&fixture, &plain(&audited)), findings(&fixture, &audited));
    let count = |is_clippy: bool| without.keys().filter(|(_, lint)| lint.starts_with("clippy::") == is_clippy).count();
    assert!(count(true) >= CLIPPY_MIN && count(false) >= RUSTC_MIN, "clippy has not looked: {without:?}");
    let lost = differences(&audited, &without, &with, &LOST);
    let added = differences(&audited, &with, &without, &ADDED);
    assert!(lost.is_empty() && added.is_empty(), "lost:\n{}\nadded:\n{}", lost.join("\n"), added.join("\n"));
}

/// Returns what is found in one text more often than in the other and is not known, and what is known but not found.
fn differences(text: &str, here: &Findings, there: &Findings, known: &[Known]) -> Vec<String> {
    let code = |line: usize| text.lines().nth(line - 1).unwrap().trim();
    let is_of = |known: &Known, line: usize, lint: &str| known.lint == lint && code(line).starts_with(known.at);
    let more = |(place, times): &(&(usize, String), &usize)| there.get(*place).is_none_or(|there| there < *times);
    let more: Vec<&(usize, String)> = here.iter().filter(more).map(|(place, _)| place).collect();
    let unknown = more.iter().filter(|(line, lint)| !known.iter().any(|known| is_of(known, *line, lint)));
    let unknown = unknown.map(|(line, lint)| format!("{lint} at {line}: {}", code(*line)));
    let outdated = known.iter().filter(|known| !more.iter().any(|(line, lint)| is_of(known, *line, lint)));
    let outdated =
        outdated.map(|known| format!("no {} at `{}` any more, although {}", known.lint, known.at, known.why));
    unknown.chain(outdated).collect()
}
