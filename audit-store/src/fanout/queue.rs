//! What waits for a secondary sink: records, and the gaps between them.

use std::collections::VecDeque;
use std::sync::Arc;

use audit_core::id::CallId;
use audit_core::time::Time;
use audit_core::vocabulary::Stage;

/// A copy of a record that the primary accepted. All secondaries share its bytes.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) bytes: Arc<[u8]>,
    pub(super) call_id: Option<CallId>,
    pub(super) stage: Stage,
    /// When the primary had accepted it.
    pub(super) time: Time,
}

/// Records that are missing: how many, and when the first and the last of them were appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) count: u64,
    pub(super) first: Time,
    pub(super) last: Time,
}

impl Gap {
    /// The gap that one record leaves.
    pub(super) const fn of(time: Time) -> Self {
        Self { count: 1, first: time, last: time }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// What waits, in order.
#[derive(Debug)]
pub(super) enum Item {
    Record(Record),
    /// Here records are missing, as there was no room for them. Two of them never follow each other, so that there are
    /// at most as many as records, and one more.
    Gap(Gap),
}

/// A queue with room for so many records.
#[derive(Debug)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    records: usize,
    bytes: usize,
    records_max: usize,
    bytes_max: usize,
}

impl Queue {
    pub(super) const fn new(records_max: usize, bytes_max: usize) -> Self {
        Self { items: VecDeque::new(), records: 0, bytes: 0, records_max, bytes_max }
    }

    /// Returns how many records wait.
    pub(super) const fn records(&self) -> usize {
        self.records
    }

    /// Takes a record, or what it leaves missing if there is no room: false then.
    pub(super) fn push(&mut self, record: &Record) -> bool {
        let bytes = self.bytes.saturating_add(record.bytes.len());
        let has_room = self.records < self.records_max && bytes <= self.bytes_max;
        if has_room || self.records == 0 {
            self.items.push_back(Item::Record(record.clone()));
            self.records += 1;
            self.bytes = bytes;
            return true;
        }
        self.miss(record);
        false
    }

    /// Notes that a record is missing here.
    pub(super) fn miss(&mut self, record: &Record) {
        let gap = Gap::of(record.time);
        match self.items.back_mut() {
            Some(Item::Gap(last)) => *last = last.and(gap),
            _ => self.items.push_back(Item::Gap(gap)),
        }
    }

    pub(super) fn front(&self) -> Option<&Item> {
        self.items.front()
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front();
        if let Some(Item::Record(record)) = &item {
            self.records -= 1;
            self.bytes -= record.bytes.len();
        }
        item
    }

    /// Empties the queue and returns what was in it.
    pub(super) fn take(&mut self) -> VecDeque<Item> {
        (self.records, self.bytes) = (0, 0);
        core::mem::take(&mut self.items)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn record(second: u64, bytes: usize) -> Record {
        let time = Time::from_unix(Duration::from_secs(second));
        Record { bytes: vec![b'x'; bytes].into(), call_id: None, stage: Stage::Event, time }
    }

    /// Pushes (`+<bytes>`) and pops (`-`), a second for each step, and returns what is left: records by their second,
    /// gaps as `count:first-last`.
    fn check(steps: &str, expected: &str) {
        let mut queue = Queue::new(3, 100);
        for (second, step) in (0..).zip(steps.split_whitespace()) {
            match step.strip_prefix('+') {
                Some(bytes) => drop(queue.push(&record(second, bytes.parse().unwrap()))),
                None => drop(queue.pop().unwrap()),
            }
        }
        let second = |time: Time| time.since_unix().as_secs();
        let show = |item| match item {
            Item::Record(record) => second(record.time).to_string(),
            Item::Gap(gap) => format!("{}:{}-{}", gap.count, second(gap.first), second(gap.last)),
        };
        let records = queue.records();
        let left: Vec<String> = queue.take().into_iter().map(show).collect();
        assert_eq!(left.join(" "), expected, "{steps}");
        assert_eq!(records, left.iter().filter(|item| !item.contains(':')).count(), "{steps}");
        assert!(queue.push(&record(0, 100)), "an emptied queue has room again");
    }

    #[test]
    fn a_gap_stands_where_records_are_missing() {
        check("", "");
        check("+1 +1 +1", "0 1 2");
        check("+1 +1 +1 +1", "0 1 2 1:3-3");
        check("+1 +1 +1 +1 +1 +1", "0 1 2 3:3-5");
        check("+1 +1 +1 +1 - +1 +1", "1 2 1:3-3 5 1:6-6");
        check("+1 +1 +1 +1 - - - - +1", "8");
    }

    #[test]
    fn bytes_are_limited_as_records_are() {
        check("+60 +40 +1", "0 1 1:2-2");
        check("+60 +41 +40", "0 1:1-1 2");
        check("+60 +41 - - +100", "4");
        check("+60 +41 - +101 +1", "1:1-1 3 1:4-4");
        check("+1000 +1 - - +1000", "4");
    }
}
