//! The process dies: every prefix of what was stored is a state that recovery may find.

use core::cell::{Cell, RefCell};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use std::io;
use std::sync::Arc;

use super::super::drain::Drain;
use super::super::memory::{Memory, SystemGate, Word};
use super::super::recover::Recovered;
use super::super::ring::{Origin, Ring};
use super::super::slot::{Role, WORD_BYTES, slot_words};
use super::super::{FIRST_GENERATION, header};
use super::{Plain, PlainRing, STREAM, drain_all, image, meta, ring};

thread_local! {
    static WORDS: Cell<usize> = const { Cell::new(0) };
    static STORES: RefCell<Vec<Store>> = const { RefCell::new(Vec::new()) };
}

/// One store: which word of the thread's ring, and what into it.
#[derive(Clone, Copy, Debug)]
struct Store {
    word: usize,
    value: u64,
}

/// A word that keeps a list of all stores in the order of the program, which is the order in which they outlive it.
#[derive(Debug)]
struct Listed {
    number: usize,
    value: AtomicU64,
}

impl Word for Listed {
    fn new(value: u64) -> Self {
        Self { number: WORDS.replace(WORDS.get() + 1), value: AtomicU64::new(value) }
    }

    fn load(&self, ordering: Ordering) -> u64 {
        self.value.load(ordering)
    }

    fn store(&self, value: u64, ordering: Ordering) {
        STORES.with_borrow_mut(|stores| stores.push(Store { word: self.number, value }));
        self.value.store(value, ordering);
    }

    fn exchange(&self, expected: u64, value: u64) -> Result<(), u64> {
        self.value.exchange(expected, value)
    }

    fn set(&self, bits: u64) {
        self.value.set(bits);
    }
}

impl Memory for Plain<Listed> {
    type Word = Listed;
    type Gate = SystemGate;

    fn header(&self) -> &[Listed] {
        &self.header
    }

    fn slots(&self) -> &[Listed] {
        &self.slots
    }
}

/// Two files, as words.
#[derive(Clone)]
struct Files {
    words: Vec<u64>,
}

impl Files {
    fn new(half_words: usize) -> Self {
        Self { words: vec![0; 2 * (header::WORDS + half_words)] }
    }

    fn apply(&mut self, stores: &[Store]) {
        for store in stores {
            // The words of the cursor come after those of the files.
            if let Some(word) = self.words.get_mut(store.word) {
                *word = store.value;
            }
        }
    }

    fn recover(&self) -> Recovered {
        let (first, second) = self.words.split_at(self.words.len() / 2);
        let file = |words: &[u64]| {
            let (header, slots) = words.split_at(header::WORDS);
            let bytes = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
            let mut file = bytes(header);
            file.resize(usize::try_from(header::PAGE_BYTES).unwrap(), 0);
            file.extend(bytes(slots));
            Some(file)
        };
        Recovered::from_files([file(first), file(second)], STREAM).unwrap()
    }
}

/// What happened while the stores were listed.
struct Story {
    stores: Vec<Store>,
    /// Of each append the record and the stores.
    appends: Vec<(String, Range<usize>)>,
    /// Of each release the number of records in the segment, and where its stores begin.
    releases: Vec<(usize, usize)>,
}

/// Appends records of changing length through several generations, taking out and releasing now and then.
fn story(half_words: usize, records: usize) -> Story {
    WORDS.set(0);
    STORES.take();
    let stored = || STORES.with_borrow(Vec::len);
    let origin = Origin { stream_id: STREAM, base_entry: 0, generation: FIRST_GENERATION };
    let ring = Arc::new(Ring::start([Plain::<Listed>::new(half_words), Plain::new(half_words)], origin));
    let mut drain = Drain::new(Arc::clone(&ring), FIRST_GENERATION);
    let (mut appends, mut releases, mut taken) = (Vec::new(), Vec::new(), 0);
    for number in 0..records {
        let record = format!("{number}:{}", "r".repeat(number * 7 % 31));
        let role = [Role::Other, Role::Begins, Role::Ends][number % 3];
        while ring.free_bytes() < 2 * 8 * u64::try_from(slot_words(40)).unwrap() || number % 5 == 4 && taken < number {
            taken += drain_all(&mut drain).len();
            releases.push((taken, stored()));
            drain.release(u64::try_from(taken).unwrap());
        }
        let from = stored();
        ring.append(meta(role), record.as_bytes(), None).unwrap();
        appends.push((record, from..stored()));
    }
    Story { stores: STORES.take(), appends, releases }
}

impl Story {
    /// Checks what is found if the process died after so many stores.
    fn check(&self, files: &Files, stores: usize) {
        let in_segment = self.releases.iter().filter(|(_, from)| *from <= stores).map(|(taken, _)| *taken).max();
        let in_segment = in_segment.unwrap_or(0);
        let recovered = files.recover();
        let found: Vec<usize> = recovered.records().map(|record| self.number_of(record.bytes)).collect();
        assert!(found.is_sorted_by(|a, b| a < b), "out of order or twice: {found:?}");
        for (number, (_, range)) in self.appends.iter().enumerate() {
            if range.end <= stores && number >= in_segment {
                assert!(found.contains(&number), "record {number} is lost after {stores} stores");
            }
            assert!(!found.contains(&number) || range.end <= stores, "record {number} was not committed");
        }
        if let Some(base) = recovered.base_entry() {
            let base = usize::try_from(base).unwrap();
            assert!(base <= in_segment);
            assert!(found.iter().all(|number| *number >= base), "base {base} of {found:?}");
        }
        assert_eq!(recovered.holes(), 0);
    }

    /// Finds out which record this is, to the last byte.
    fn number_of(&self, bytes: &[u8]) -> usize {
        let number = self.appends.iter().position(|(record, _)| record.as_bytes() == bytes);
        number.unwrap_or_else(|| panic!("never appended: {:?}", String::from_utf8_lossy(bytes)))
    }
}

#[test]
fn after_any_store_all_that_was_acknowledged_is_found() {
    for half_words in [40, 41, 64] {
        let story = story(half_words, 60);
        let mut files = Files::new(half_words);
        assert!(story.releases.len() > 5);
        for stores in 0..=story.stores.len() {
            story.check(&files, stores);
            files.apply(story.stores.get(stores..=stores).unwrap_or_default());
        }
    }
}

#[test]
fn two_threads_that_die_at_any_two_points_leave_whole_records_only() {
    let half_words = 64;
    let story = story(half_words, 40);
    let mut passed_over = 0;
    for pair in story.appends.windows(2) {
        let [(_, first), (_, second)] = pair else { unreachable!("windows of two") };
        if first.end != second.start {
            continue;
        }
        let mut before = Files::new(half_words);
        before.apply(&story.stores[..first.start]);
        let old: Vec<usize> = before.recover().records().map(|record| story.number_of(record.bytes)).collect();
        for of_first in first.start..=first.end {
            for of_second in second.start..=second.end {
                let mut files = before.clone();
                files.apply(&story.stores[first.start..of_first]);
                files.apply(&story.stores[second.start..of_second]);
                let mut expected = old.clone();
                let both = [(of_first, first), (of_second, second)];
                let whole = both.iter().filter(|(at, range)| *at == range.end);
                let number = |range| story.appends.iter().position(|(_, other)| other == range).unwrap();
                expected.extend(whole.map(|(_, range)| number(*range)));
                let recovered = files.recover();
                let found: Vec<usize> = recovered.records().map(|record| story.number_of(record.bytes)).collect();
                assert_eq!(found, expected);
                passed_over += recovered.holes();
            }
        }
    }
    assert!(passed_over > 100, "the second of a pair often stands behind a hole");
}

/// Three generations old slots under four new ones of different lengths.
fn worn() -> (Arc<PlainRing>, Vec<String>) {
    let (ring, mut drain) = ring(60);
    let mut number = 0;
    while ring.end().generation() < FIRST_GENERATION + 6 {
        ring.append(meta(Role::Ends), format!("old {number} {}", "o".repeat(number % 11)).as_bytes(), None).unwrap();
        drain_all(&mut drain);
        number += 1;
        drain.release(u64::try_from(number).unwrap());
    }
    // The one that began this generation is among the new ones.
    let first = format!("old {} {}", number - 1, "o".repeat((number - 1) % 11));
    let new = ["a".repeat(3), "b".repeat(8), "c".repeat(29)];
    for record in &new {
        ring.append(meta(Role::Begins), record.as_bytes(), None).unwrap();
    }
    (ring, [first].into_iter().chain(new).collect())
}

fn recover_one(file: Vec<u8>) -> io::Result<(Vec<String>, u64)> {
    let recovered = Recovered::from_files([Some(file), None], STREAM)?;
    let records = recovered.records().map(|record| String::from_utf8(record.bytes.to_vec()).unwrap()).collect();
    Ok((records, recovered.holes()))
}

#[test]
fn a_turned_bit_costs_its_own_slot_and_no_other() {
    let (ring, records) = worn();
    let file = image(ring.half(FIRST_GENERATION));
    assert_eq!(recover_one(file.clone()).unwrap(), (records.clone(), 0));
    let mut start = usize::try_from(header::PAGE_BYTES).unwrap();
    for (number, record) in records.iter().enumerate() {
        let end = start + slot_words(record.len()) * WORD_BYTES;
        let is_padding = |at: usize| at >= start + 4 * WORD_BYTES + record.len();
        let mut others = records.clone();
        others.remove(number);
        for at in start..end {
            for bit in 0..8 {
                let mut damaged = file.clone();
                damaged[at] ^= 1 << bit;
                let (found, holes) = recover_one(damaged).unwrap();
                assert_eq!(found, if is_padding(at) { records.clone() } else { others.clone() }, "{at} {bit}");
                assert!(holes <= 1);
            }
        }
        start = end;
    }
    for at in start..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            assert_eq!(recover_one(damaged).unwrap().0, records, "an old slot came back at {at} {bit}");
        }
    }
}

#[test]
fn a_turned_bit_in_the_header_is_an_error_or_without_effect() {
    let (ring, records) = worn();
    let file = image(ring.half(FIRST_GENERATION));
    let mut errors = 0;
    for at in 0..usize::try_from(header::PAGE_BYTES).unwrap() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            match recover_one(damaged) {
                Ok((found, _)) => assert_eq!(found, records),
                Err(fault) => {
                    assert_eq!(fault.kind(), io::ErrorKind::InvalidData);
                    errors += 1;
                }
            }
        }
    }
    assert_eq!(errors, 2 * 8 * 8 * WORD_BYTES, "every bit of both copies");
}

#[test]
fn a_slot_that_was_never_committed_is_passed_over_and_counted() {
    let (ring, records) = worn();
    let file = image(ring.half(FIRST_GENERATION));
    // Which of the four are whole: each bit is one.
    for whole in 0..16_u32 {
        let mut holed = file.clone();
        let mut start = usize::try_from(header::PAGE_BYTES).unwrap();
        let mut expected = Vec::new();
        for (number, record) in records.iter().enumerate() {
            if whole & 1 << number == 0 {
                holed[start..start + WORD_BYTES].fill(0);
            } else {
                expected.push(record.clone());
            }
            start += slot_words(record.len()) * WORD_BYTES;
        }
        let (found, holes) = recover_one(holed).unwrap();
        assert_eq!(found, expected);
        // A whole slot with a hole right before it.
        assert_eq!(holes, u64::from((whole & !(whole << 1)).count_ones() - (whole & 1)), "{whole:b}");
    }
}

#[test]
fn a_spoiled_record_is_not_recovered_and_costs_no_other() {
    let (ring, mut drain) = ring(60);
    let records = ["first", "the second of four", "third", ""];
    let ends = records.map(|record| ring.append(meta(Role::Begins), record.as_bytes(), None).unwrap().position);
    for (end, record) in ends.iter().zip(records).skip(1).step_by(2) {
        for _twice in 0..2 {
            ring.spoil(*end, record.len());
        }
    }
    ring.spoil(ends[0], records[0].len() + 1);
    let (found, _) = recover_one(image(ring.half(FIRST_GENERATION))).unwrap();
    assert_eq!(found, ["first", "third"]);
    assert_eq!(drain_all(&mut drain), records, "who drains still gets all of them");
}
