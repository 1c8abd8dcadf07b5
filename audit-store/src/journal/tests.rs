//! A ring in plain memory, and what all tests of it share.

mod death;
mod files;
mod model;
mod semantics;
mod threads;

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::drain::Drain;
use super::memory::{Memory, SystemGate, Word};
use super::ring::{Origin, Ring};
use super::slot::{HEADER_WORDS, Meta, Role};
use super::{FIRST_GENERATION, header};

const STREAM: [u8; 16] = *b"stream of a test";

/// A half in plain memory.
#[derive(Debug)]
struct Plain<W> {
    header: Box<[W]>,
    slots: Box<[W]>,
}

impl<W: Word> Plain<W> {
    fn new(words: usize) -> Self {
        let zeros = |count: usize| (0..count).map(|_| W::new(0)).collect();
        Self { header: zeros(header::WORDS), slots: zeros(words) }
    }
}

impl Memory for Plain<AtomicU64> {
    type Word = AtomicU64;
    type Gate = SystemGate;

    fn header(&self) -> &[AtomicU64] {
        &self.header
    }

    fn slots(&self) -> &[AtomicU64] {
        &self.slots
    }
}

type PlainRing = Ring<Plain<AtomicU64>>;

/// Makes a ring whose halves have so many words, and its drain.
fn ring(words: usize) -> (Arc<PlainRing>, Drain<Plain<AtomicU64>>) {
    ring_from(FIRST_GENERATION, words)
}

fn ring_from(generation: u64, words: usize) -> (Arc<PlainRing>, Drain<Plain<AtomicU64>>) {
    let origin = Origin { stream_id: STREAM, base_entry: 0, generation };
    let ring = Arc::new(Ring::start([Plain::new(words), Plain::new(words)], origin));
    (Arc::clone(&ring), Drain::new(ring, generation))
}

fn meta(role: Role) -> Meta {
    Meta { role, ..Meta::default() }
}

/// Takes everything out that can be taken.
fn drain_all<M: Memory>(drain: &mut Drain<M>) -> Vec<String> {
    let mut taken = Vec::new();
    while let Some(slot) = drain.next() {
        let mut bytes = Vec::new();
        slot.copy_to(&mut bytes);
        assert_eq!(bytes.len(), slot.len());
        taken.push(String::from_utf8(bytes).unwrap());
    }
    taken
}

/// The words of a slot with a record of at most eight bytes.
const SHORT: usize = HEADER_WORDS + 1;

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(1))
}

fn far() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(60))
}

/// Reads the memory as a file would hold it.
fn image(memory: &Plain<AtomicU64>) -> Vec<u8> {
    let page = usize::try_from(header::PAGE_BYTES).unwrap();
    let bytes =
        |words: &[AtomicU64]| words.iter().flat_map(|word| word.load(Relaxed).to_le_bytes()).collect::<Vec<u8>>();
    let mut file = bytes(&memory.header);
    file.resize(page, 0);
    file.extend(bytes(&memory.slots));
    file
}
