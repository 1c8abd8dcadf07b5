//! Real threads on a ring with short halves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::super::ring::Refused;
use super::super::slot::Role;
use super::{SHORT, drain_all, far, meta, ring};

const THREADS: usize = 4;
const RECORDS: usize = 20_000;

#[test]
fn four_threads_lose_double_and_reorder_nothing() {
    let (ring, mut drain) = ring(53 * SHORT);
    let mut taken: [Vec<usize>; THREADS] = Default::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let ring = &ring;
                scope.spawn(move || {
                    for number in 0..RECORDS {
                        let filler = "f".repeat(number % 97);
                        let record = format!("{thread} {number} {filler}");
                        let role = [Role::Other, Role::Begins, Role::Ends][number % 3];
                        ring.append(meta(role), record.as_bytes(), far()).unwrap();
                    }
                })
            })
            .collect();
        let mut entries = 0;
        while !drain.is_finished() {
            let records = drain_all(&mut drain);
            entries += u64::try_from(records.len()).unwrap();
            for record in records {
                let fields: Vec<&str> = record.split(' ').collect();
                let number: usize = fields[1].parse().unwrap();
                assert_eq!(fields[2], "f".repeat(number % 97));
                taken[fields[0].parse::<usize>().unwrap()].push(number);
            }
            drain.release(entries);
            if workers.iter().all(thread::ScopedJoinHandle::is_finished) {
                ring.close();
            } else {
                thread::yield_now();
            }
        }
    });
    for numbers in taken {
        assert!(numbers.into_iter().eq(0..RECORDS));
    }
}

#[test]
fn closing_wakes_those_that_wait() {
    let (ring, _drain) = ring(8 * SHORT);
    for _ in 0..16 {
        ring.append(meta(Role::Ends), b"x", None).unwrap();
    }
    thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| ring.append(meta(Role::Begins), b"x", far()))).collect();
        ring.close();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Err(Refused::Closed));
        }
    });
}

#[test]
fn closing_in_the_middle_loses_nothing_that_was_acknowledged() {
    for _ in 0..50 {
        let (ring, mut drain) = ring(31 * SHORT);
        let acknowledged = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while ring.append(meta(Role::Begins), b"x", far()).is_ok() {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let mut taken = 0;
            while !drain.is_finished() {
                taken += u64::try_from(drain_all(&mut drain).len()).unwrap();
                drain.release(taken);
                if taken > 500 {
                    ring.close();
                }
                thread::yield_now();
            }
            acknowledged.fetch_sub(taken, Ordering::Relaxed);
        });
        assert_eq!(acknowledged.into_inner(), 0);
    }
}
