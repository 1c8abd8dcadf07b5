//! What a policy comes to for one call, from its beginning to its end.

use super::{About, AuditPolicy, Extent, Ruling, Written};
use crate::vocabulary::{Level, Stages, Status};

/// What is decided of a call: of the record of its beginning, and of that of its end by how it ends.
#[derive(Clone, Debug)]
pub struct Course<'p> {
    begin: Ruling<'p>,
    /// Empty where it does not matter how the call ends.
    ends: Vec<(Status, Ruling<'p>)>,
    stages: Stages,
}

impl AuditPolicy {
    /// Decides about a call.
    #[must_use]
    pub fn course(&self, about: &About<'_>, written: Written) -> Course<'_> {
        let begin = self.ruling(&About { outcome: None, ..*about }, written);
        let statuses = Status::ALL.iter().filter(|_| self.asks_for_outcome());
        let mut ends: Vec<(Status, Ruling<'_>)> = statuses
            .map(|status| (*status, self.ruling(&About { outcome: Some(*status), ..*about }, written)))
            .collect();
        // Whether a call that leaves no record of its beginning leaves one at all is known at its end.
        let stages = if begin.extent == Extent::Nothing { Stages::Completed } else { begin.stages };
        if stages == Stages::StartedCompleted {
            // What began in the log ends there.
            for (_, end) in ends.iter_mut().filter(|(_, end)| end.extent == Extent::Nothing) {
                end.extent = Extent::At(Level::Metadata);
            }
        }
        Course { begin, ends, stages }
    }
}

impl<'p> Course<'p> {
    /// Returns which records the call leaves.
    #[must_use]
    pub const fn stages(&self) -> Stages {
        self.stages
    }

    /// Returns what is decided of the beginning.
    #[must_use]
    pub const fn begin(&self) -> &Ruling<'p> {
        &self.begin
    }

    /// Returns what is decided of the end.
    #[must_use]
    pub fn end(&self, status: Status) -> &Ruling<'p> {
        let end = self.ends.iter().find(|(ended, _)| *ended == status);
        end.map_or(&self.begin, |(_, ruling)| ruling)
    }

    /// Tells whether the call leaves no record, however it ends.
    #[must_use]
    pub fn is_unrecorded(&self) -> bool {
        self.rulings().all(|ruling| ruling.extent == Extent::Nothing)
    }

    /// Tells whether a record that arguments may stand in is to have them.
    #[must_use]
    pub fn takes_arguments(&self) -> bool {
        let takes = |ruling: &Ruling<'_>| matches!(ruling.extent, Extent::At(Level::Request | Level::RequestResponse));
        match self.stages {
            Stages::StartedCompleted => takes(&self.begin),
            Stages::Completed => self.rulings().any(takes),
        }
    }

    /// Returns the places of all rules that may decide about a record of the call, each once.
    #[must_use]
    pub fn rules(&self) -> Vec<usize> {
        let mut places = vec![self.begin.index];
        places.extend(self.ends.iter().map(|(_, end)| end.index));
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Returns what is decided of the records that there are once the call has ended.
    fn rulings(&self) -> impl Iterator<Item = &Ruling<'p>> {
        let begin = self.ends.is_empty().then_some(&self.begin);
        begin.into_iter().chain(self.ends.iter().map(|(_, end)| end))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decision, Match, Parts, Rule};
    use super::*;
    use crate::vocabulary::Effect;

    fn policy(failures: Extent, others: Extent) -> AuditPolicy {
        let rule = |name: &str, outcomes: &[Status], level| Rule {
            name: name.to_owned(),
            matches: Match {
                outcomes: outcomes.to_vec(),
                effects: vec![Effect::Read, Effect::Destructive],
                ..Match::default()
            },
            decision: Decision { level: Some(level), ..Decision::default() },
        };
        let rules = vec![rule("failures", &[Status::Failure], failures), rule("others", &[], others)];
        AuditPolicy::new(Parts { rules, ..Parts::default() }).unwrap()
    }

    fn read(policy: &AuditPolicy, effect: Effect) -> Course<'_> {
        policy.course(&About { action: "a", effect: Some(effect), ..About::default() }, Written::default())
    }

    #[test]
    fn where_failures_alone_are_recorded_there_is_one_record_at_the_end() {
        let policy = policy(Extent::At(Level::Request), Extent::Nothing);
        let course = read(&policy, Effect::Read);
        assert_eq!(
            (course.stages(), course.is_unrecorded(), course.takes_arguments()),
            (Stages::Completed, false, true)
        );
        assert_eq!(course.end(Status::Success).extent, Extent::Nothing);
        assert_eq!(course.end(Status::Failure).extent, Extent::At(Level::Request));
        assert_eq!(course.rules(), [0, 1]);
        let destructive = read(&policy, Effect::Destructive);
        assert_eq!(destructive.stages(), Stages::StartedCompleted);
        assert_eq!(destructive.end(Status::Success).extent, Extent::At(Level::Metadata));
    }

    #[test]
    fn what_began_in_the_log_ends_there() {
        let policy = policy(Extent::Nothing, Extent::At(Level::Request));
        let course = read(&policy, Effect::Read);
        assert_eq!(course.stages(), Stages::StartedCompleted);
        assert_eq!(course.end(Status::Failure).extent, Extent::At(Level::Metadata));
    }
}
