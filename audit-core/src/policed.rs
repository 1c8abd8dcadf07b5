//! What the policy of a sink comes to for the calls of one site: worked out once by each thread, then looked up.

mod removal;

use core::cell::RefCell;
use std::sync::Arc;

use crate::audit_policy::{About, AuditPolicy, Decision, Extent, Limits, Rule, Ruling, Written};
use crate::call::Site;
use crate::context::Ambient;
use crate::privacy::CallRules;
use crate::sink::Sink;
use crate::vocabulary::{Durability, Level, Stages, Status};
pub(crate) use removal::Removals;

/// How many kinds of calls a thread keeps the decisions about.
const KEPT_MAX: usize = 256;

thread_local! {
    static KEPT: RefCell<Vec<Option<Arc<Policed>>>> = const { RefCell::new(Vec::new()) };
}

/// What a policy decides about the calls of a site under one name, for one tenant where tenants matter.
#[derive(Debug)]
pub(crate) struct Policed {
    policy: Arc<AuditPolicy>,
    site: &'static Site,
    action: String,
    tool: String,
    /// None also where no rule asks for it.
    tenant: Option<String>,
    stages: Stages,
    begin: Part,
    /// What is decided of the end by how the call ended; empty where that does not matter.
    ends: Vec<(Status, Part)>,
    takes_arguments: bool,
    is_unrecorded: bool,
    /// What is removed beside what the attribute says.
    rules: CallRules,
}

/// What is decided of one record.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The place of the rule.
    index: usize,
    extent: Extent,
    durability: Option<Durability>,
}

impl Part {
    const fn of(ruling: &Ruling<'_>) -> Self {
        Self { index: ruling.index, extent: ruling.extent, durability: ruling.durability }
    }
}

/// What holds for a record: as the policy decides, or as the site says where there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ruled<'a> {
    /// None if there is to be no record.
    pub(crate) level: Option<Level>,
    pub(crate) durability: Option<Durability>,
    pub(crate) retention: Option<&'a str>,
    pub(crate) limits: Limits,
}

impl Ruled<'_> {
    pub(crate) fn as_written(site: &Site) -> Self {
        Self { level: Some(site.level), durability: site.durability, retention: None, limits: Limits::default() }
    }
}

/// What is called, as far as it is not the site's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called<'a> {
    pub(crate) action: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) ambient: &'a Ambient,
}

impl Policed {
    /// Returns what the sink's policy decides, from an earlier call if there was one like it; none without a policy.
    pub(crate) fn of(sink: &dyn Sink, site: &'static Site, called: Called<'_>) -> Option<Arc<Self>> {
        let serial = sink.policy_serial();
        if serial == 0 {
            return None;
        }
        let tenant = called.ambient.fields().and_then(|fields| fields.tenant_id());
        let found = KEPT.try_with(|kept| {
            let mut kept = kept.try_borrow_mut().ok()?;
            if kept.is_empty() {
                kept.resize(KEPT_MAX, None);
            }
            let place = kept.get_mut(place(site, called, tenant))?;
            if let Some(same) = place.as_ref().filter(|policed| policed.is_of(serial, site, called, tenant)) {
                return Some(Arc::clone(same));
            }
            Some(Arc::clone(place.insert(Arc::new(Self::new(sink, site, called, tenant)?))))
        });
        found.ok().flatten().or_else(|| Some(Arc::new(Self::new(sink, site, called, tenant)?)))
    }

    fn is_of(&self, serial: u64, site: &'static Site, called: Called<'_>, tenant: Option<&str>) -> bool {
        self.policy.serial() == serial
            && core::ptr::eq(self.site, site)
            && self.action == called.action
            && self.tool == called.tool
            && (!self.policy.asks_for_tenant() || self.tenant.as_deref() == tenant)
    }

    fn new(sink: &dyn Sink, site: &'static Site, called: Called<'_>, tenant: Option<&str>) -> Option<Self> {
        let policy = sink.policy()?;
        let written = Written { level: site.level, stages: site.stages, durability: site.durability };
        let about =
            About { action: called.action, tool: Some(called.tool), effect: Some(site.effect), tenant, outcome: None };
        let course = policy.course(&about, written);
        let (stages, takes_arguments, is_unrecorded) =
            (course.stages(), course.takes_arguments(), course.is_unrecorded());
        let begin = Part::of(course.begin());
        let statuses = Status::ALL.iter().filter(|_| policy.asks_for_outcome());
        let ends = statuses.map(|status| (*status, Part::of(course.end(*status)))).collect();
        let places = course.rules();
        let tenant = tenant.filter(|_| policy.asks_for_tenant()).map(str::to_owned);
        let (action, tool) = (called.action.to_owned(), called.tool.to_owned());
        let Removals { rules, is_whole } = Removals::of(&policy, &places, site, sink.privacy());
        let policed =
            Self { policy, site, action, tool, tenant, stages, begin, ends, takes_arguments, is_unrecorded, rules };
        Some(if is_whole { policed } else { policed.without_payloads() })
    }

    /// Returns the same with neither arguments nor results in any record: what is to be removed from them is not known.
    fn without_payloads(mut self) -> Self {
        let parts = self.ends.iter_mut().map(|(_, end)| end).chain([&mut self.begin]);
        for part in parts.filter(|part| part.extent != Extent::Nothing) {
            part.extent = Extent::At(Level::Metadata);
        }
        self.takes_arguments = false;
        self
    }

    /// Returns what is removed beside what the attribute says.
    pub(crate) const fn rules(&self) -> &CallRules {
        &self.rules
    }

    /// Tells whether the call leaves no record, however it ends.
    pub(crate) const fn is_unrecorded(&self) -> bool {
        self.is_unrecorded
    }

    /// Counts the call, which leaves no record.
    pub(crate) fn note_unrecorded(&self, ended: Option<Status>) {
        self.policy.note_unrecorded(self.part(ended).index);
    }

    pub(crate) const fn stages(&self) -> Stages {
        self.stages
    }

    /// Returns what holds for the record of the beginning, or of an end.
    pub(crate) fn ruled(&self, ended: Option<Status>) -> Ruled<'_> {
        let part = self.part(ended);
        let decision = self.rule(part).map(|rule| &rule.decision);
        Ruled {
            level: match part.extent {
                Extent::Nothing => None,
                Extent::At(level) => Some(level),
            },
            durability: part.durability,
            retention: decision.and_then(|decision| decision.retention.as_deref()),
            limits: decision.map_or_else(Limits::default, |decision: &Decision| decision.limits),
        }
    }

    /// Tells whether a record of the call is to have its arguments.
    pub(crate) const fn takes_arguments(&self) -> bool {
        self.takes_arguments
    }

    /// Returns the highest level that the record of an end may have.
    pub(crate) fn result_level(&self) -> Level {
        let ends = self.ends.iter().map(|(_, end)| end).chain(self.ends.is_empty().then_some(&self.begin));
        let levels = ends.filter_map(|end| match end.extent {
            Extent::Nothing => None,
            Extent::At(level) => Some(level),
        });
        levels.max().unwrap_or(Level::Metadata)
    }

    fn part(&self, ended: Option<Status>) -> &Part {
        let end = self.ends.iter().find(|(status, _)| Some(*status) == ended);
        end.map_or(&self.begin, |(_, end)| end)
    }

    fn rule(&self, part: &Part) -> Option<&Rule> {
        self.policy.rules().get(part.index)
    }
}

/// Returns where the decision about such a call is kept. The names of tools and actions are constants, nearly always.
fn place(site: &'static Site, called: Called<'_>, tenant: Option<&str>) -> usize {
    let address = core::ptr::from_ref(site).addr() >> 4;
    let tenant =
        tenant.map_or(0, |tenant| tenant.bytes().fold(0, |sum: usize, byte| sum.wrapping_mul(31) ^ usize::from(byte)));
    let names = called.tool.as_ptr().addr().wrapping_mul(31) ^ called.action.len();
    (address ^ address >> 6 ^ names ^ tenant) % KEPT_MAX
}
