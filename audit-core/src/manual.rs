//! Calls without the attribute, for adapters: routers that know a tool only by its name, spans written by hand.
//!
//! ```
//! use audit_core::{Conclusion, manual};
//!
//! let arguments = serde_json::json!({"order": "ORD-1"});
//! let mut call = manual::tool_call("order.refund", "refund").arguments(&arguments).begin().call();
//! let refunded = call.run(|| true);
//! call.finish(Conclusion::from(refunded), Some(&refunded));
//! ```

use core::time::Duration;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::Serialize;

use crate::call::{self, Begin, Call, CheckedReady, Drive, Label, OnUnavailable, Ready, Site, Taken};
use crate::canonical::Canonical;
use crate::capture::{Capture as _, Captured, Probe};
use crate::limit;
use crate::outcome::Conclusion;
use crate::privacy::{Method, Subject};
use crate::record::Target;
use crate::redact::{Path, Root, Rules, Segment, parse_path};
use crate::unavailable::Unavailable;
use crate::vocabulary::{Durability, Effect, Level, Stages, Telemetry};

/// Where the arguments stand in a record.
const POINTER: &str = "/request/arguments";

/// All of the arguments, as one value.
const ARGUMENTS: Root = Root::Parameter(0);

/// How long an action, the name of a tool, and the type and identifier of a target may be.
const NAME_BYTES_MAX: usize = 128;
const TARGET_BYTES_MAX: usize = 1_024;

/// How long a record may wait at most: a day, as with the attribute.
const APPEND_TIMEOUT_MAX: Duration = Duration::from_secs(86_400);

/// How many different descriptions of calls are kept. Of those beyond that redact anything, neither arguments nor result
/// nor error texts are recorded; those with a timeout wait as long as the log grants.
const SITES_MAX: usize = 4_096;

/// Starts the description of a call: what is done, and the tool that does it.
pub fn tool_call(action: impl Into<Cow<'static, str>>, tool: impl Into<Cow<'static, str>>) -> ToolCall<'static> {
    ToolCall {
        label: Label { action: bounded(action.into()), tool: bounded(tool.into()) },
        like: Like {
            effect: Effect::Write,
            level: Level::Request,
            telemetry: Telemetry::Names,
            stages: Stages::StartedCompleted,
            durability: None,
            append_timeout: None,
            on_unavailable: None,
            redact: Vec::new(),
        },
        arguments: None,
        targets: Vec::new(),
    }
}

fn bounded(name: Cow<'static, str>) -> Cow<'static, str> {
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    let mut name = name.into_owned();
    limit::cut(&mut name, NAME_BYTES_MAX);
    name.into()
}

/// The description of a call that is about to begin.
#[derive(Debug)]
#[must_use = "a call begins with `begin`"]
pub struct ToolCall<'a> {
    label: Label,
    like: Like,
    arguments: Option<Captured<'a>>,
    targets: Vec<Target>,
}

/// What calls have in common that share a site.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Like {
    effect: Effect,
    level: Level,
    telemetry: Telemetry,
    stages: Stages,
    durability: Option<Durability>,
    append_timeout: Option<Duration>,
    on_unavailable: Option<OnUnavailable>,
    redact: Vec<String>,
}

impl<'a> ToolCall<'a> {
    /// Sets what the tool does to the world; [`Effect::Write`] unless set.
    pub const fn effect(mut self, effect: Effect) -> Self {
        self.like.effect = effect;
        self
    }

    /// Sets how much is recorded; [`Level::Request`] unless set.
    pub const fn level(mut self, level: Level) -> Self {
        self.like.level = level;
        self
    }

    /// Sets what the call's span shows of arguments and result; [`Telemetry::Names`], which is nothing, unless set.
    pub const fn telemetry(mut self, telemetry: Telemetry) -> Self {
        self.like.telemetry = telemetry;
        self
    }

    /// Sets what each record must survive before the call goes on; the log's own unless set.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.like.durability = Some(durability);
        self
    }

    /// Limits how long each record waits for room in the log, and for the disk where that is demanded, before the call
    /// counts as one that cannot be recorded; the log's own limit unless set. Zero does not wait at all, so that a
    /// destructive call, whose intent has to be on the disk, could never be recorded. More than a day is a day.
    ///
    /// The limit is kept for the life of the process: give the same one to each call of a tool.
    pub fn append_timeout(mut self, timeout: Duration) -> Self {
        self.like.append_timeout = Some(timeout.min(APPEND_TIMEOUT_MAX));
        self
    }

    /// Says that the call leaves one record, at its end. A destructive one leaves two all the same.
    pub const fn completed_only(mut self) -> Self {
        self.like.stages = Stages::Completed;
        self
    }

    /// Says that the call is refused if it cannot be recorded, as a destructive one is unless told otherwise.
    pub const fn deny(mut self) -> Self {
        self.like.on_unavailable = Some(OnUnavailable::Return);
        self
    }

    /// Says that the call runs and is counted if it cannot be recorded, as all but destructive ones are.
    pub const fn count(mut self) -> Self {
        self.like.on_unavailable = Some(OnUnavailable::Count);
        self
    }

    /// Removes parts of the arguments, by paths such as `card` or `items[].token`, and of the result, by paths that
    /// begin with `return`; `error` removes the texts of errors. The empty path removes all arguments, and one that cannot
    /// be read removes everything.
    ///
    /// A path alone leaves the value out. Methods are written as in the attribute: `mask(card, last_four)`,
    /// `token(customer.email)`, `seal(customer.name, subject = customer.id)`, `seal(note)`.
    ///
    /// The set of paths is kept for the life of the process: give the same one to each call of a tool.
    pub fn redact<P: AsRef<str>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.like.redact.extend(paths.into_iter().map(|path| path.as_ref().to_owned()));
        self
    }

    /// Sets the arguments, an object with one member for each.
    pub fn arguments<T: Serialize>(self, arguments: &'a T) -> Self {
        Self { arguments: Some((&&Probe(arguments)).captured()), ..self }
    }

    /// Adds what the call acts on: a type and an identifier, `("order", "ORD-54321")`.
    pub fn target(mut self, kind: impl Into<String>, id: impl Into<String>) -> Self {
        let (mut kind, mut id) = (kind.into(), id.into());
        limit::cut(&mut kind, TARGET_BYTES_MAX);
        limit::cut(&mut id, TARGET_BYTES_MAX);
        self.targets.push(Target { kind, id });
        self
    }

    /// Begins the call: the record of the intent is appended.
    pub fn begin(self) -> Begun {
        let Self { label, mut like, arguments, mut targets } = self;
        if like.effect == Effect::Destructive {
            like.stages = Stages::StartedCompleted;
        }
        let site = site(like);
        let begin = call::begin_as(site, label, &mut |rules| take(rules, arguments, core::mem::take(&mut targets)));
        Begun(begin)
    }
}

fn take(rules: Rules, arguments: Option<Captured<'_>>, mut targets: Vec<Target>) -> Taken {
    let mut canonical = Canonical::redacting(rules);
    canonical.find_subjects(&|root| arguments.as_ref().filter(|_| root == ARGUMENTS));
    let written = arguments.map(|arguments| arguments.write(&mut canonical, (POINTER, "arguments"), Some(ARGUMENTS)));
    if written == Some(false) {
        canonical.push_raw(b"{}");
    }
    for (index, target) in targets.iter_mut().enumerate() {
        let (clean, removals) = canonical.scrub_known(&target.id);
        removals.into_iter().for_each(|removal| canonical.note_removal(format!("/target/{index}/id"), removal));
        target.id = clean;
    }
    let rules = canonical.take_rules();
    let (bytes, redactions, secrets) = canonical.into_parts();
    Taken { arguments: written.map(|_| bytes), fields: None, targets, redactions, secrets, rules }
}

/// A call whose record of the intent may still be on its way. Dropped, it is recorded as cancelled without effect.
#[derive(Debug)]
#[must_use = "a call that has begun runs its body or is cancelled"]
pub struct Begun(Begin);

impl Begun {
    /// Waits for the record, and goes on in any case: what cannot be recorded is counted.
    pub fn call(self) -> ManualCall {
        ManualCall(self.0.call())
    }

    /// Waits for the record.
    ///
    /// # Errors
    /// The call cannot be recorded and must not run.
    pub fn checked(self) -> Result<ManualCall, Unavailable> {
        if self.0.runs_anyway() { Ok(self.call()) } else { self.0.checked().map(ManualCall) }
    }

    /// Does not wait for a record that is still on its way to the disk, and goes on in any case.
    pub fn call_now(self) -> ManualCall {
        ManualCall(self.0.call_now())
    }

    /// Awaits the record.
    ///
    /// # Errors
    /// The call cannot be recorded and must not run.
    pub async fn ready(self) -> Result<ManualCall, Unavailable> {
        if self.0.runs_anyway() {
            let ready: Ready = self.0.ready();
            return Ok(ManualCall(ready.await));
        }
        let ready: CheckedReady = self.0.checked_ready();
        ready.await.map(ManualCall)
    }
}

/// A call whose intent is recorded. Dropped before [`finish`](Self::finish), it is recorded as cancelled.
#[derive(Debug)]
#[must_use = "a call that is dropped is recorded as cancelled"]
pub struct ManualCall(Call);

impl ManualCall {
    /// Runs code inside the call, in its span and context. A panic is recorded and resumed.
    pub fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
        self.0.run(body)
    }

    /// Runs a future inside the call, whose span and context are entered at each poll.
    pub fn drive<F: Future>(&mut self, body: F) -> Drive<'_, F> {
        self.0.drive(body)
    }

    /// Records how the call ended, without waiting for the disk, and what it returned.
    pub fn finish(self, conclusion: Conclusion, result: Option<&dyn Erased>) {
        let Self(mut call) = self;
        call.finish_async(&mut |ending| ending.concluded(conclusion.clone(), result.map(Erased::captured)));
    }
}

/// A `Serialize` value of any type.
pub trait Erased {
    /// Takes the value.
    #[doc(hidden)]
    fn captured(&self) -> Captured<'_>;
}

impl<T: Serialize> Erased for T {
    fn captured(&self) -> Captured<'_> {
        (&&Probe(self)).captured()
    }
}

static SITES: LazyLock<Mutex<HashMap<Like, &'static Site>>> = LazyLock::new(Mutex::default);

/// Returns the site of calls like this one, made once and kept for the life of the process.
fn site(mut like: Like) -> &'static Site {
    let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(site) = sites.get(&like) {
        return site;
    }
    if sites.len() >= SITES_MAX && (!like.redact.is_empty() || like.append_timeout.is_some()) {
        if !like.redact.is_empty() {
            // A path that cannot be read.
            like.redact = vec![".".to_owned()];
        }
        like.append_timeout = None;
        if let Some(site) = sites.get(&like) {
            return site;
        }
    }
    let redact: Vec<Path> = like.redact.iter().flat_map(|path| leak_path(path)).collect();
    let by_effect = match like.effect {
        Effect::Destructive => OnUnavailable::Return,
        Effect::Read | Effect::Write => OnUnavailable::Count,
    };
    let site: &'static Site = Box::leak(Box::new(Site {
        action: "",
        tool: "",
        effect: like.effect,
        level: like.level,
        telemetry: like.telemetry,
        stages: like.stages,
        durability: like.durability,
        append_timeout: like.append_timeout,
        on_unavailable: like.on_unavailable.unwrap_or(by_effect),
        parameters: &[],
        fields: &[],
        redact: redact.leak(),
        summary: &[],
        census: "",
    }));
    sites.insert(like, site);
    site
}

/// Reads a path, and how what it addresses is removed; one that cannot be read is that of everything. The empty path is
/// that of all arguments.
fn leak_path(text: &str) -> Vec<Path> {
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    let whole = |root| Path { text, root, segments: &[], method: Method::Drop };
    if text.is_empty() {
        return vec![whole(Root::Parameter(0))];
    }
    read_removal(text)
        .map_or_else(|| [Root::Parameter(0), Root::Return, Root::Error].map(whole).to_vec(), |path| vec![path])
}

/// Reads `card`, `mask(card, last_four)` and the like.
fn read_removal(text: &'static str) -> Option<Path> {
    let Some((word, inside)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        let (root, segments) = read_path(text)?;
        return Some(Path { text, root, segments, method: Method::Drop });
    };
    // A key in quotes may hold anything.
    let mut quoted = false;
    let comma = inside.find(|character: char| {
        quoted ^= character == '"';
        character == ',' && !quoted
    });
    let (path, option) = match comma {
        Some(at) => (inside.get(..at)?.trim(), inside.get(at + 1..)?.trim()),
        None => (inside.trim(), ""),
    };
    let (root, segments) = read_path(path)?;
    let method = match (word.trim(), option) {
        ("drop", "") => Method::Drop,
        ("mask", "") => Method::Mask { last_four: false },
        ("mask", "last_four") => Method::Mask { last_four: true },
        ("token", "") => Method::Token,
        ("seal", "") => Method::Seal(Subject::OnBehalfOf),
        ("seal", option) => {
            let subject = option.strip_prefix("subject")?.trim_start().strip_prefix('=')?.trim_start();
            let (root, segments) = read_path(subject)?;
            Method::Seal(Subject::Within { root, segments })
        }
        _ => return None,
    };
    // The text of an error is left out as a whole.
    (root != Root::Error || method == Method::Drop).then_some(Path { text: path, root, segments, method })
}

fn read_path(text: &'static str) -> Option<(Root, &'static [Segment])> {
    let mut segments = parse_path(text)?;
    // Arguments that are not given hide nothing.
    if let Some(Segment::Key { optional, .. }) = segments.first_mut() {
        *optional = true;
    }
    let segments: &'static [Segment] = segments.leak();
    Some(match segments.split_first() {
        Some((Segment::Key { name: "return", .. }, rest)) => (Root::Return, rest),
        Some((Segment::Key { name: "error", .. }, [])) => (Root::Error, &[]),
        _ => (Root::Parameter(0), segments),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_methods_of_the_attribute_are_read_at_run_time() {
        let check = |text: &str, rule: &str, method: Method| {
            let paths = leak_path(text);
            assert_eq!(
                paths.iter().map(|path| (path.text, path.method)).collect::<Vec<_>>(),
                [(rule, method)],
                "{text}"
            );
        };
        check("card", "card", Method::Drop);
        check("drop(card)", "card", Method::Drop);
        check("mask( card )", "card", Method::Mask { last_four: false });
        check("mask(items[].card, last_four)", "items[].card", Method::Mask { last_four: true });
        check("token(\"a,)(b\".c)", "\"a,)(b\".c", Method::Token);
        check("seal(return.name)", "return.name", Method::Seal(Subject::OnBehalfOf));
        let segments =
            &[Segment::Key { name: "customer", optional: true }, Segment::Key { name: "id", optional: false }];
        let subject = Subject::Within { root: Root::Parameter(0), segments };
        check("seal(customer.name, subject = customer.id)", "customer.name", Method::Seal(subject));
        for wrong in ["maks(card)", "mask(card, first)", "mask()", "seal(a, b)", "token(a", "mask(error)", "mask(a)(b)"]
        {
            assert_eq!(leak_path(wrong).len(), 3, "{wrong}");
        }
    }
}
