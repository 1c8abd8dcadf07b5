//! What the policy of a sink comes to for the calls of one site: worked out once by each thread, then looked up.

use core::cell::RefCell;
use std::sync::Arc;

use crate::audit_policy::{About, AuditPolicy, Decision, Extent, Limits, Rule, Written};
use crate::call::Site;
use crate::context::Ambient;
use crate::sink::Sink;
use crate::vocabulary::{Durability, Level, Stages, Status};

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
}

/// What is decided of one record.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The place of the rule.
    index: usize,
    extent: Extent,
    durability: Option<Durability>,
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
            Some(Arc::clone(place.insert(Arc::new(Self::new(sink.policy()?, site, called, tenant)))))
        });
        found.ok().flatten().or_else(|| Some(Arc::new(Self::new(sink.policy()?, site, called, tenant))))
    }

    fn is_of(&self, serial: u64, site: &'static Site, called: Called<'_>, tenant: Option<&str>) -> bool {
        self.policy.serial() == serial
            && core::ptr::eq(self.site, site)
            && self.action == called.action
            && self.tool == called.tool
            && (!self.policy.asks_for_tenant() || self.tenant.as_deref() == tenant)
    }

    fn new(policy: Arc<AuditPolicy>, site: &'static Site, called: Called<'_>, tenant: Option<&str>) -> Self {
        let written = Written { level: site.level, stages: site.stages, durability: site.durability };
        let about =
            About { action: called.action, tool: Some(called.tool), effect: Some(site.effect), tenant, outcome: None };
        let ruling = policy.ruling(&about, written);
        let begin = Part { index: ruling.index, extent: ruling.extent, durability: ruling.durability };
        let mut ends = Vec::new();
        let mut stages = ruling.stages;
        if policy.asks_for_outcome() {
            ends.extend(Status::ALL.iter().map(|status| {
                let ruling = policy.ruling(&About { outcome: Some(*status), ..about }, written);
                (*status, Part { index: ruling.index, extent: ruling.extent, durability: ruling.durability })
            }));
        }
        if begin.extent == Extent::Nothing {
            // Whether there is a record is known at the end.
            stages = Stages::Completed;
        }
        if stages == Stages::StartedCompleted {
            // What began in the log ends there.
            for (_, end) in ends.iter_mut().filter(|(_, end)| end.extent == Extent::Nothing) {
                end.extent = Extent::At(Level::Metadata);
            }
        }
        let tenant = tenant.filter(|_| policy.asks_for_tenant()).map(str::to_owned);
        let (action, tool) = (called.action.to_owned(), called.tool.to_owned());
        Self { policy, site, action, tool, tenant, stages, begin, ends }
    }

    /// Tells whether the call leaves no record, however it ends.
    pub(crate) fn is_unrecorded(&self) -> bool {
        self.parts().all(|part| part.extent == Extent::Nothing)
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

    /// Tells whether a record that the arguments may stand in is to have them.
    pub(crate) fn takes_arguments(&self) -> bool {
        let takes = |part: &Part| matches!(part.extent, Extent::At(Level::Request | Level::RequestResponse));
        match self.stages {
            Stages::StartedCompleted => takes(&self.begin),
            Stages::Completed => self.parts().any(takes),
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        let begin = self.ends.is_empty().then_some(&self.begin);
        begin.into_iter().chain(self.ends.iter().map(|(_, end)| end))
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
