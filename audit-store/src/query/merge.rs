//! Several logs read as one.
//!
//! Each log is read in its own order; of the entries that come next in each, the one with the earliest time is visited. An
//! entry is held, as a copy of its line, only while another log comes before it: in a log that leads for a while each line
//! is read and parsed once.

use core::cmp::Reverse;
use core::ops::ControlFlow;
use std::collections::BinaryHeap;
use std::path::Path;

use audit_core::time::Time;

use super::{Entry, Scanned, UnreadableLine};
use crate::Error;
use crate::read::Lines;

/// When the next entry of a log happened, and the index of the log, which decides between equal times.
type Head = (Time, usize);

/// Visits the entries of all logs.
pub(super) fn merge(sources: &mut [Source], visit: &mut dyn FnMut(usize, &Entry<'_>) -> ControlFlow<()>) {
    // Before anything is read every log may be the first.
    let mut heads: BinaryHeap<Reverse<Head>> =
        sources.iter().enumerate().map(|(index, source)| Reverse((source.time, index))).collect();
    while let Some(Reverse((_, index))) = heads.pop() {
        let Some(source) = sources.get_mut(index) else { continue };
        let comes_first = heads.peek().map(|Reverse(next)| |time| (time, index) < *next);
        let comes_first = comes_first.as_ref().map(|rule| rule as &dyn Fn(Time) -> bool);
        match source.read(comes_first, &mut |entry| visit(index, entry)) {
            ControlFlow::Break(()) => return,
            ControlFlow::Continue(Some(time)) => heads.push(Reverse((time, index))),
            ControlFlow::Continue(None) => {}
        }
    }
}

/// A log that is read, and the entry of it that waits for those of other logs.
pub(super) struct Source {
    lines: Result<Lines, Error>,
    scanned: Scanned,
    /// The number and the line of the entry that waits.
    held: Option<u64>,
    line: Vec<u8>,
    /// When the entry that was read last happened; one whose time cannot be read happened with the one before it.
    time: Time,
}

impl Source {
    pub(super) fn open(path: &Path) -> Self {
        let time = Time::from_unix(core::time::Duration::ZERO);
        Self { lines: Lines::open(path), scanned: Scanned::default(), held: None, line: Vec::new(), time }
    }

    /// Visits the entry that waits, then those after it up to the first that does not come first; that one waits then, and
    /// its time is returned. Without `comes_first` all are visited.
    pub(super) fn read(
        &mut self,
        comes_first: Option<&dyn Fn(Time) -> bool>,
        visit: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<(), Option<Time>> {
        if let Some(number) = self.held.take()
            && let Ok(entry) = Entry::parse(number, &self.line)
        {
            visit(&entry)?;
        }
        let Ok(lines) = &mut self.lines else { return ControlFlow::Continue(None) };
        while let Some(line) = lines.next_line() {
            let line = match line {
                Ok(line) => line,
                Err(error) => {
                    self.lines = Err(error);
                    return ControlFlow::Continue(None);
                }
            };
            self.scanned.lines += 1;
            let entry = match Entry::parse(line.number, line.bytes) {
                Ok(entry) => entry,
                Err(reason) => {
                    self.scanned.unreadable += 1;
                    let place = || UnreadableLine { number: line.number, segment: line.segment.to_owned(), reason };
                    self.scanned.first_unreadable.get_or_insert_with(place);
                    continue;
                }
            };
            if let Some(comes_first) = comes_first {
                self.time = Time::parse(&entry.record.time).unwrap_or(self.time);
                if !comes_first(self.time) {
                    self.held = Some(line.number);
                    self.line.clear();
                    self.line.extend_from_slice(line.bytes);
                    return ControlFlow::Continue(Some(self.time));
                }
            }
            visit(&entry)?;
        }
        ControlFlow::Continue(None)
    }

    /// Tells how far the log was read.
    pub(super) fn finish(self) -> Result<Scanned, Error> {
        let lines = self.lines?;
        Ok(Scanned { unfinished_bytes: lines.tail().bytes, ..self.scanned })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::query::scan_streams;
    use crate::streams::Streams;

    /// Makes a log whose entries happened at these seconds after 12:00, or are what stands there.
    fn write_log(path: &Path, times: &[&str]) {
        let segments = path.join("segments");
        fs::create_dir_all(&segments).unwrap();
        let line = |time: &&str| match time.len() {
            2 => {
                format!(
                    r#"{{"record":{{"action":"a","event_name":"e","outcome":{{"status":"success"}},"stage":"event","time":"2026-11-21T12:00:{time}Z"}},"sequence":{{}}}}"#
                ) + "\n"
            }
            _ => format!("{time}\n"),
        };
        fs::write(segments.join("00000000000000000000.jsonl"), times.iter().map(line).collect::<String>()).unwrap();
    }

    /// Merges the logs and tells each entry as `<log>/<number>`.
    fn check(logs: &[&[&str]], limit: usize, expect: &[&str]) -> Vec<Result<Scanned, Error>> {
        let directory = tempfile::tempdir().unwrap();
        for (name, times) in logs.iter().enumerate() {
            write_log(&directory.path().join(name.to_string()), times);
        }
        let streams = Streams::find(directory.path()).unwrap();
        let mut seen = Vec::new();
        let scanned = scan_streams(streams.as_slice(), |stream, entry| {
            seen.push(format!("{stream}/{}", entry.number));
            if seen.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert_eq!(seen, expect, "{logs:?}");
        scanned
    }

    #[test]
    fn entries_come_in_the_order_of_their_times() {
        check(&[&["01", "04", "05"], &["02", "03", "06"]], 9, &["0/0", "1/0", "1/1", "0/1", "0/2", "1/2"]);
        check(&[&[], &["02"], &["01", "03"]], 9, &["2/0", "1/0", "2/1"]);
        check(&[&["03"], &["01", "02"]], 2, &["1/0", "1/1"]);
    }

    #[test]
    fn of_equal_times_the_first_log_comes_first() {
        check(&[&["01", "01"], &["01", "02"], &["01"]], 9, &["0/0", "0/1", "1/0", "2/0", "1/1"]);
    }

    #[test]
    fn a_clock_that_was_put_back_does_not_change_the_order_of_a_log() {
        check(&[&["05", "02", "06"], &["01", "04"]], 9, &["1/0", "1/1", "0/0", "0/1", "0/2"]);
        // What cannot be read as a time stands with what precedes it.
        check(&[&["01", "xx", "05"], &["02"]], 9, &["0/0", "0/1", "1/0", "0/2"]);
    }

    #[test]
    fn what_cannot_be_read_ends_or_is_passed_over_in_its_own_log() {
        let long = "x".repeat(70_000);
        let scanned = check(&[&["01", "{ }", "04"], &["02", &long, "03"]], 9, &["0/0", "1/0", "0/2"]);
        let first = scanned[0].as_ref().unwrap();
        assert_eq!((first.lines, first.unreadable), (3, 1));
        assert_eq!(first.first_unreadable.as_ref().unwrap().number, 1);
        assert!(scanned[1].as_ref().unwrap_err().is_tampered());
    }

    #[test]
    fn a_log_that_is_not_there_does_not_hide_the_others() {
        let directory = tempfile::tempdir().unwrap();
        write_log(&directory.path().join("log"), &["01"]);
        write_log(&directory.path().join("log.2"), &["02"]);
        let streams = Streams::find(directory.path().join("log")).unwrap();
        let mut seen: Vec<PathBuf> = Vec::new();
        let scanned = scan_streams(streams.as_slice(), |stream, _| {
            seen.push(streams.as_slice()[stream].path().to_owned());
            ControlFlow::Continue(())
        });
        assert_eq!(seen, ["log", "log.2"].map(|name| directory.path().join(name)));
        assert!(scanned[1].as_ref().unwrap_err().is_not_a_log());
    }
}
