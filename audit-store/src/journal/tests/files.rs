//! Real files: copies taken while threads append, and files that are not what they should be.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::slot::{Flags, Meta, Role};
use super::super::{
    Drain, FILE_BYTES_MAX, FILE_BYTES_MIN, FILE_NAMES, Journal, Start, allocate, create_file, map, recover, start,
};
use super::{STREAM, far, meta};

fn journal(directory: &Path, base_entry: u64) -> (Journal, Drain) {
    let files = FILE_NAMES.map(|name| {
        let file = create_file(&directory.join(name)).unwrap();
        allocate(&file, FILE_BYTES_MIN).unwrap();
        map(&file).unwrap()
    });
    start(files, Start { stream_id: STREAM, base_entry }).unwrap()
}

#[test]
fn what_a_journal_held_is_recovered() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, mut drain) = journal(directory.path(), 42);
    let of_call = Meta { role: Role::Begins, flags: Flags::new(0b10_0001), call_id: *b"a call's own id." };
    let first = journal.append(of_call, br#"{"a":1}"#, None).unwrap();
    let second = journal.append(Meta::default(), br#"{"b":"2"}"#, None).unwrap();
    assert!(drain.next().is_some());
    drop((journal, drain));

    let recovered = recover(directory.path(), STREAM).unwrap();
    assert_eq!((recovered.base_entry(), recovered.holes()), (Some(42), 0));
    let records: Vec<_> = recovered.records().map(|record| (record.position, record.meta, record.bytes)).collect();
    let expected: [(_, _, &[u8]); 2] =
        [(first.position, of_call, br#"{"a":1}"#), (second.position, Meta::default(), br#"{"b":"2"}"#)];
    assert_eq!(records, expected);
    assert_eq!(format!("{recovered:?}"), "Recovered { base_entry: Some(42), records: 2, holes: 0 }");
}

const THREADS: usize = 4;

/// Finds the numbers of one thread's records.
fn numbers(records: &[String], thread: usize) -> Vec<usize> {
    let prefix = format!("{thread} ");
    records.iter().filter_map(|record| record.strip_prefix(&prefix)?.split(' ').next()?.parse().ok()).collect()
}

#[test]
fn a_copy_of_the_files_holds_what_was_acknowledged_and_not_released() {
    let directory = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let (journal, mut drain) = journal(directory.path(), 0);
    let acknowledged: [AtomicUsize; THREADS] = Default::default();
    thread::scope(|scope| {
        for (thread, count) in acknowledged.iter().enumerate() {
            let journal = journal.clone();
            scope.spawn(move || {
                for number in 0.. {
                    let record = format!("{thread} {number} {}", "f".repeat(number % 301));
                    if journal.append(meta(Role::Other), record.as_bytes(), far()).is_err() {
                        break;
                    }
                    count.store(number + 1, Ordering::Release);
                }
            });
        }
        let mut taken: Vec<String> = Vec::new();
        let mut rounds = 0;
        // Until many generations have come and gone, some of them while the files were copied.
        while rounds < 40 || drain.position().as_u64() >> 24 < 20 {
            rounds += 1;
            let released = [0, 1, 2, 3].map(|thread| numbers(&taken, thread).len());
            let before = acknowledged.each_ref().map(|count| count.load(Ordering::Acquire));
            for name in FILE_NAMES {
                fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
            }
            let recovered = recover(copy.path(), STREAM).unwrap();
            assert!(recovered.base_entry().unwrap() <= u64::try_from(taken.len()).unwrap());
            let found: Vec<String> =
                recovered.records().map(|record| String::from_utf8(record.bytes.to_vec()).unwrap()).collect();
            for thread in 0..THREADS {
                let numbers = numbers(&found, thread);
                assert!(numbers.is_sorted_by(|a, b| a < b));
                let missing = (released[thread]..before[thread]).find(|number| !numbers.contains(number));
                assert_eq!(missing, None, "of thread {thread}, round {rounds}");
            }
            for record in &found {
                let fields: Vec<&str> = record.split(' ').collect();
                assert_eq!(fields[2], "f".repeat(fields[1].parse::<usize>().unwrap() % 301));
            }
            while let Some(slot) = drain.next() {
                let mut bytes = Vec::new();
                slot.copy_to(&mut bytes);
                taken.push(String::from_utf8(bytes).unwrap());
            }
            drain.release(u64::try_from(taken.len()).unwrap());
        }
        journal.close();
    });
}

#[test]
fn where_there_is_no_journal_nothing_is_recovered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let check = |case: &str| {
        let recovered = recover(path, STREAM).unwrap();
        assert_eq!((recovered.base_entry(), recovered.records().count()), (None, 0), "{case}");
    };
    check("no files");
    create_file(&path.join(FILE_NAMES[0])).unwrap();
    check("killed before the space was taken");
    allocate(&create_file(&path.join(FILE_NAMES[1])).unwrap(), FILE_BYTES_MIN).unwrap();
    check("killed before the header was written");
}

#[test]
fn one_file_is_recovered_without_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _drain) = journal(directory.path(), 7);
    journal.append(Meta::default(), b"{}", None).unwrap();
    fs::remove_file(directory.path().join(FILE_NAMES[1])).unwrap();
    assert_eq!(recover(directory.path(), STREAM).unwrap().records().count(), 1);
}

#[test]
fn files_that_are_not_this_streams_journal_are_refused_by_name() {
    let check = |stream: [u8; 16], change: &dyn Fn(&Path) -> io::Result<()>, expected: &str| {
        let directory = tempfile::tempdir().unwrap();
        drop(journal(directory.path(), 7));
        change(&directory.path().join(FILE_NAMES[1])).unwrap();
        let fault = recover(directory.path(), stream).unwrap_err();
        assert_eq!(fault.kind(), ErrorKind::InvalidData);
        assert_eq!(fault.to_string(), expected);
    };
    let other = "journal.0: expected a journal of this stream, found one of another stream";
    check(*b"the other stream", &|_| Ok(()), other);
    let cut = |path: &Path| fs::OpenOptions::new().write(true).open(path)?.set_len(FILE_BYTES_MIN - 4096);
    check(STREAM, &cut, "journal.1: expected 139264 bytes, found 135168");
    let text = |path: &Path| fs::write(path, "Dear diary, ".repeat(99));
    check(STREAM, &text, "journal.1: expected a journal, found something else");
    let damage = |path: &Path| {
        let mut bytes = fs::read(path)?;
        // The first generation of this file is 3, whose header is the second copy.
        bytes[64 + 4 * 8] ^= 1;
        fs::write(path, bytes)
    };
    check(STREAM, &damage, "journal.1: the header's checksum is wrong");
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAMES[0]);
    std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
    assert!(create_file(&path).is_err());
    assert!(recover(directory.path(), STREAM).is_err());
    assert!(!directory.path().join("elsewhere").exists());
}

#[test]
fn a_journal_starts_in_two_new_files_of_one_fit_length_only() {
    for lengths in [
        [FILE_BYTES_MIN, FILE_BYTES_MIN + 4096],
        [FILE_BYTES_MIN - 4096; 2],
        [FILE_BYTES_MIN + 8; 2],
        [FILE_BYTES_MAX + 4096; 2],
    ] {
        let directory = tempfile::tempdir().unwrap();
        let files = [0, 1].map(|at| {
            let file = create_file(&directory.path().join(FILE_NAMES[at])).unwrap();
            file.set_len(lengths[at]).unwrap();
            map(&file).unwrap()
        });
        let fault = start(files, Start { stream_id: STREAM, base_entry: 0 }).unwrap_err();
        assert_eq!(fault.kind(), ErrorKind::InvalidInput, "{lengths:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    drop(journal(directory.path(), 0));
    let used = FILE_NAMES.map(|name| {
        map(&fs::OpenOptions::new().read(true).write(true).open(directory.path().join(name)).unwrap()).unwrap()
    });
    let fault = start(used, Start { stream_id: STREAM, base_entry: 0 }).unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::InvalidInput);
}

#[test]
fn checksums_are_those_of_crc32c() {
    // The check value of CRC-32/ISCSI.
    assert_eq!(crc_fast::crc32_iscsi(b"123456789"), 0xe306_9283);
}
