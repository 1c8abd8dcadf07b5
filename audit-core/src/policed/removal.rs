//! What a policy removes, in the form that calls take it in: the paths of one site, and the names and patterns.

use core::fmt::Write as _;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::audit_policy::{AuditPolicy, Named, REDACTION, Removal, Way};
use crate::call::Site;
use crate::privacy::{CallRules, Method, Pattern, Privacy, Subject};
use crate::redact::{Path, Root, Segment, parse_path};

/// How many sets of paths are kept.
const SETS_MAX: usize = 65_536;

/// The subject that is the user on whose behalf the agent acts.
const CONTEXT_USER: &str = "context.user";

/// The sets of paths that were made for a site and a rule, for the life of the process, as the paths of attributes are.
static SETS: LazyLock<Mutex<HashMap<String, &'static [Path]>>> = LazyLock::new(Mutex::default);

/// What a path starts from, and the steps from there.
type Place = (Root, &'static [Segment]);

/// Where the paths of policies begin in each site.
static PLACES: LazyLock<Mutex<HashMap<String, &'static [Place]>>> = LazyLock::new(Mutex::default);

/// What stands in the place of a set that is one too many.
static ERRORS: [Path; 1] = [Path { text: "policy", root: Root::Error, segments: &[], method: Method::Drop }];

/// What the rules of these places remove from the calls of a site.
pub(crate) struct Removals {
    pub(crate) rules: CallRules,
    /// False if there were too many sets of paths: then neither arguments nor result may be recorded.
    pub(crate) is_whole: bool,
}

impl Removals {
    /// `places` are those of all rules that may decide about a record of the call: what is removed from the last one has
    /// to be known at the first. `log` is what the log removes from all calls.
    pub(crate) fn of(policy: &AuditPolicy, places: &[usize], site: &Site, log: Option<Arc<Privacy>>) -> Self {
        let rules = places.iter().filter_map(|place| policy.rules().get(*place));
        let named = rules.map(|rule| (rule.name.as_str(), &rule.decision.removal));
        let removals: Vec<(&str, &Removal)> = core::iter::once((REDACTION, policy.redaction())).chain(named).collect();
        let paths = paths(&removals, site);
        Self {
            is_whole: paths.is_some(),
            rules: CallRules {
                paths: paths.unwrap_or(&ERRORS),
                privacy: policy.privacy(places, || privacy(&removals, log)),
            },
        }
    }
}

impl Removals {
    /// Returns the names and patterns that the policy removes whichever rule decides, with those of the log.
    pub(crate) fn of_all(policy: &AuditPolicy, log: Option<Arc<Privacy>>) -> Option<Arc<Privacy>> {
        policy.privacy(&[], || privacy(&[(REDACTION, policy.redaction())], log))
    }
}

/// Returns the paths, from an earlier time if they are the same; none if there are too many.
fn paths(removals: &[(&str, &Removal)], site: &Site) -> Option<&'static [Path]> {
    let mut key = format!("{:x}", core::ptr::from_ref(site).addr());
    for (label, removal) in removals.iter().filter(|(_, removal)| !removal.paths.is_empty()) {
        // A text that could not be written to is none.
        let _written = write!(key, "|{label:?}{:?}{:?}", removal.paths, removal.subjects);
    }
    if !key.contains('|') {
        return Some(&[]);
    }
    let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(set) = sets.get(&key) {
        return Some(set);
    }
    if sets.len() >= SETS_MAX {
        return None;
    }
    let mut set = Vec::new();
    for (label, removal) in removals {
        for removed in &removal.paths {
            let text = kept(&format!("{label}/{}", removed.path));
            for (root, segments) in places(&removed.path, site) {
                let method = method(&removed.way, removal, site, *root);
                set.push(Path { text, root: *root, segments, method });
            }
        }
    }
    let set: &'static [Path] = set.leak();
    sets.insert(key, set);
    Some(set)
}

/// Keeps a text of a policy for the life of the process, once.
fn kept(text: &str) -> &'static str {
    static TEXTS: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = texts.get(text) {
        return text;
    }
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(text);
    text
}

/// Finds what a path starts from in a site; nothing if it begins with a parameter that the site does not have.
fn places(path: &str, site: &Site) -> &'static [Place] {
    let key = format!("{:x}|{path}", core::ptr::from_ref(site).addr());
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    places.entry(key).or_insert_with(|| find_places(path, site).leak())
}

fn find_places(path: &str, site: &Site) -> Vec<Place> {
    let text = kept(path);
    let segments: &'static mut [Segment] = parse_path(text).unwrap_or_default().leak();
    if let [Segment::Key { name: "return", .. }, ..] = segments {
        return vec![(Root::Return, segments.get(1..).unwrap_or_default())];
    }
    if let [Segment::Key { name: "error", .. }] = segments {
        return vec![(Root::Error, &[])];
    }
    if site.parameters.is_empty() {
        // A call without a site of its own: what the attribute calls a parameter is a member of its arguments.
        segments.iter_mut().take(2).fold(true, |is_first, segment| {
            let is_any = matches!(segment, Segment::Any);
            if let Segment::Key { optional, .. } = segment {
                *optional |= is_first;
            }
            is_any
        });
        return vec![(Root::Parameter(0), segments)];
    }
    match segments {
        [Segment::Key { name, .. }, rest @ ..] => {
            let is_named = |index: &usize| {
                [site.parameters, site.fields].iter().any(|names| names.get(*index).is_some_and(|found| found == name))
            };
            let found = (0..site.parameters.len()).filter(is_named);
            let rest: &'static [Segment] = rest;
            found.map(|index| (Root::Parameter(index), rest)).collect()
        }
        [Segment::Any, rest @ ..] => {
            // Not every parameter has what is looked for in each.
            if let Some(Segment::Key { optional, .. }) = rest.first_mut() {
                *optional = true;
            }
            let rest: &'static [Segment] = rest;
            (0..site.parameters.len()).map(|index| (Root::Parameter(index), rest)).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns a way that needs no subject.
const fn plain(way: &Way) -> Method {
    match way {
        Way::Mask { last_four } => Method::Mask { last_four: *last_four },
        Way::Token => Method::Token,
        Way::Drop | Way::Seal(_) => Method::Drop,
    }
}

fn method(way: &Way, removal: &Removal, site: &Site, root: Root) -> Method {
    let Way::Seal(own) = way else { return plain(way) };
    let found: Vec<Subject> = subjects(own.as_ref(), removal).filter_map(|text| subject(text, site, root)).collect();
    match found.as_slice() {
        // Of a value of nobody nothing is left.
        [] => Method::Drop,
        [subject] => Method::Seal(*subject),
        _ => Method::Seal(Subject::FirstOf(found.leak())),
    }
}

/// Returns where it is said whose values are sealed: where the way says so itself, else where the rule does.
fn subjects<'r>(own: Option<&'r String>, removal: &'r Removal) -> impl Iterator<Item = &'r str> {
    own.into_iter().chain(removal.subjects.iter().filter(move |_| own.is_none())).map(String::as_str)
}

/// Returns how what has a name is removed, wherever it stands: it is sealed for the member beside it that is its subject.
fn method_of_named(named: &Named, removal: &Removal) -> Method {
    let Way::Seal(own) = &named.way else { return plain(&named.way) };
    let found = subjects(own.as_ref(), removal).find_map(|text| match text {
        CONTEXT_USER => Some(Subject::OnBehalfOf),
        name => crate::redact::is_name(name).then(|| Subject::Beside(kept(name))),
    });
    found.map_or(Method::Drop, Method::Seal)
}

/// Finds a subject in a site. While arguments are written, the result is not known.
fn subject(text: &str, site: &Site, sealed: Root) -> Option<Subject> {
    if text == CONTEXT_USER {
        return Some(Subject::OnBehalfOf);
    }
    let (root, segments) = *places(text, site).first()?;
    let is_known = root != Root::Error && (root != Root::Return || sealed == Root::Return);
    is_known.then_some(Subject::Within { root, segments })
}

/// Returns what the log removes and what the policy adds to it; none if it adds nothing.
fn privacy(removals: &[(&str, &Removal)], log: Option<Arc<Privacy>>) -> Option<Arc<Privacy>> {
    if removals.iter().all(|(_, removal)| removal.names.is_empty() && removal.patterns.is_empty()) {
        return None;
    }
    let mut builder = log.map_or_else(Privacy::builder, |log| log.to_builder());
    for (label, removal) in removals {
        let method = |named: &Named| method_of_named(named, removal);
        builder = builder.labelled(&format!("policy:{label}"));
        for named in &removal.names {
            builder = builder.name(&named.name, method(named));
        }
        for named in &removal.patterns {
            // Names that there are not were refused when the policy was made.
            if let Some(pattern) = Pattern::parse(&named.name) {
                builder = builder.pattern(pattern, method(named));
            }
        }
    }
    Some(Arc::new(builder.build()))
}
