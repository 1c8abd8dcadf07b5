//! What the records of one tool and stage have in common: written once by each thread, then copied.

use core::cell::RefCell;
use std::rc::Rc;

use super::{Draft, Fit, Object, Outcome, SCHEMA_VERSION, name};
use crate::vocabulary::{Applied, Effect, EventName, Level, Status};

/// How many kinds of records a thread keeps the sections of.
const KEPT_MAX: usize = 64;

/// How long the sections usually are at most.
const BYTES_USUAL: usize = 512;

thread_local! {
    static KEPT: RefCell<Vec<Option<Rc<Sections>>>> = const { RefCell::new(Vec::new()) };
}

/// The members of a record that do not change from one call to the next, in the order in which they stand there. What
/// changes stands between them.
#[derive(Debug)]
pub(super) struct Sections {
    kind: Kind,
    bytes: Vec<u8>,
    ends: [usize; 4],
}

/// All that the sections are made of.
#[derive(Debug)]
struct Kind {
    action: String,
    tool: Option<(String, Option<Effect>)>,
    event: EventName,
    level: Option<Level>,
    outcome: (Status, Applied),
}

impl Sections {
    /// Returns the sections of the record, from earlier ones if they are the same there.
    pub(super) fn of(draft: &Draft<'_>, fit: Fit) -> Rc<Self> {
        if fit > Fit::Whole || !draft.outcome.is_plain() {
            return Rc::new(Self::write(draft, fit));
        }
        let found = KEPT.try_with(|kept| {
            let mut kept = kept.try_borrow_mut().ok()?;
            if kept.is_empty() {
                kept.resize(KEPT_MAX, None);
            }
            let place = kept.get_mut(Kind::place(draft))?;
            if let Some(same) = place.as_ref().filter(|sections| sections.kind.is_of(draft)) {
                return Some(Rc::clone(same));
            }
            Some(Rc::clone(place.insert(Rc::new(Self::write(draft, fit)))))
        });
        found.ok().flatten().unwrap_or_else(|| Rc::new(Self::write(draft, fit)))
    }

    fn write(draft: &Draft<'_>, fit: Fit) -> Self {
        let mut bytes = Vec::with_capacity(BYTES_USUAL);
        let mut record = Object::open(&mut bytes);
        record.text(name!("action"), &fit.text(draft.action));
        let action = record.length();
        record.word(name!("event_name"), draft.event.as_str().as_bytes());
        if let Some(level) = draft.level {
            record.word(name!("level"), level.as_str().as_bytes());
        }
        let level = record.length();
        if let Some(operation) = draft.operation {
            operation.write(record.object(name!("operation")), None, fit);
        }
        let operation = record.length();
        draft.outcome.write(record.object(name!("outcome")), fit);
        let outcome = record.length();
        record.word(name!("schema_version"), SCHEMA_VERSION.as_bytes());
        record.word(name!("stage"), draft.event.stage().as_str().as_bytes());
        Self { kind: Kind::of(draft), bytes, ends: [action, level, operation, outcome] }
    }

    /// Returns the record's beginning with `action`.
    pub(super) fn action(&self) -> &[u8] {
        let [end, ..] = self.ends;
        self.bytes.get(..end).unwrap_or_default()
    }

    /// Returns `event_name` and `level`.
    pub(super) fn event_and_level(&self) -> &[u8] {
        let [start, end, ..] = self.ends;
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Returns `operation` without the MCP request that it may hold.
    pub(super) fn operation(&self) -> &[u8] {
        let [_, start, end, _] = self.ends;
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(super) fn outcome(&self) -> &[u8] {
        let [.., start, end] = self.ends;
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Returns `schema_version` and `stage`.
    pub(super) fn version_and_stage(&self) -> &[u8] {
        let [.., start] = self.ends;
        self.bytes.get(start..).unwrap_or_default()
    }
}

impl Kind {
    fn of(draft: &Draft<'_>) -> Self {
        Self {
            action: draft.action.to_owned(),
            tool: draft.operation.map(|operation| (operation.tool.to_owned(), operation.effect)),
            event: draft.event,
            level: draft.level,
            outcome: (draft.outcome.status, draft.outcome.effect),
        }
    }

    fn is_of(&self, draft: &Draft<'_>) -> bool {
        self.event == draft.event
            && self.level == draft.level
            && self.outcome == (draft.outcome.status, draft.outcome.effect)
            && self.action == draft.action
            && match (&self.tool, &draft.operation) {
                (Some((tool, effect)), Some(operation)) => *effect == operation.effect && tool == operation.tool,
                (tool, operation) => tool.is_none() && operation.is_none(),
            }
    }

    /// Returns where the sections of such a record are kept. The names of tools and actions are constants, nearly always.
    fn place(draft: &Draft<'_>) -> usize {
        let action = draft.action.as_ptr().addr() >> 1;
        let tool = draft.operation.map_or(0, |operation| operation.tool.as_ptr().addr());
        (action.wrapping_mul(31) ^ tool ^ draft.event.stage().as_str().len()) % KEPT_MAX
    }
}

impl Outcome {
    /// Tells whether the outcome is told by its words alone.
    const fn is_plain(&self) -> bool {
        self.error_type.is_none() && self.code.is_none() && self.reason.is_none() && self.parts.is_none()
    }
}
