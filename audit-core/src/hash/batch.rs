//! Many messages at once: each takes a lane as soon as one is free.

use sha2::block_api::compress256;

use crate::hash::lanes::{self, LANES, States};

/// The state that SHA-256 starts from (FIPS 180-4 §5.3.3).
pub(super) const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// With fewer messages than this left, one after the other is faster.
const LANES_MIN: usize = 7;

/// A message: a byte of domain separation and the bytes after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) domain: u8,
    pub(super) parts: [&'a [u8]; 2],
    /// False if more bytes follow: then only the blocks that are whole are taken, and there is no padding.
    pub(super) is_whole: bool,
}

/// The blocks of the messages that are on their way.
#[derive(Debug, Default)]
struct Lane {
    /// Longer than the message where one before it was.
    blocks: Vec<[u8; 64]>,
    count: usize,
    next: usize,
    /// The place of the state in the result; none while the lane is idle.
    index: Option<usize>,
}

impl Lane {
    /// Writes the blocks of a message, with the padding at its end (FIPS 180-4 §5.1.1).
    fn fill(&mut self, message: &Message<'_>) {
        let [first, second] = message.parts;
        let length = 1 + first.len() + second.len();
        self.next = 0;
        self.count = if message.is_whole { (length + 9).div_ceil(64) } else { length / 64 };
        let room = length.div_ceil(64).max(self.count);
        if self.blocks.len() < room {
            self.blocks.resize(room, [0; 64]);
        }
        let Some((bytes, padding)) = self.blocks.as_flattened_mut().split_at_mut_checked(length) else { return };
        let Some((domain, bytes)) = bytes.split_first_mut() else { return };
        *domain = message.domain;
        let (for_first, for_second) = bytes.split_at_mut(first.len());
        for_first.copy_from_slice(first);
        for_second.copy_from_slice(second);
        if let Some(padding) = padding.get_mut(..(64 * self.count).saturating_sub(length))
            && message.is_whole
        {
            padding.fill(0);
            padding.iter_mut().take(1).for_each(|bit| *bit = 0x80);
            if let Some(bits) = padding.last_chunk_mut() {
                *bits = (8 * length as u64).to_be_bytes();
            }
        }
    }

    fn left(&self) -> &[[u8; 64]] {
        self.blocks.get(self.next..self.count).unwrap_or_default()
    }
}

/// Appends the state after all blocks of each message, in their order; each starts from [`START`].
pub(super) fn compress_all<'a>(mut messages: impl Iterator<Item = Message<'a>>, results: &mut Vec<[u32; 8]>) {
    let mut lanes: [Lane; LANES] = Default::default();
    let mut states = States([[0; LANES]; 8]);
    let mut busy = 0;
    for (column, lane) in lanes.iter_mut().enumerate() {
        states.set(column, START);
        busy += usize::from(next(lane, &mut messages, results));
    }
    while busy >= LANES_MIN && lanes::is_supported() {
        let steps = lanes.iter().filter(|lane| lane.index.is_some()).map(|lane| lane.left().len()).min().unwrap_or(0);
        for step in 0..steps {
            let blocks = lanes.each_ref().map(|lane| lane.blocks.get(lane.next + step).unwrap_or(&[0; 64]));
            lanes::compress(&mut states, &blocks);
        }
        for (column, lane) in lanes.iter_mut().enumerate() {
            lane.next += steps;
            if let Some(index) = lane.index
                && lane.next >= lane.count
            {
                put(results, index, states.of(column));
                states.set(column, START);
                busy -= usize::from(!next(lane, &mut messages, results));
            }
        }
    }
    // What is left: a few messages half done, or all of them where there are no lanes.
    for (column, lane) in lanes.iter_mut().enumerate() {
        let mut state = states.of(column);
        while let Some(index) = lane.index {
            compress256(&mut state, lane.left());
            put(results, index, core::mem::replace(&mut state, START));
            next(lane, &mut messages, results);
        }
    }
}

/// Takes the last bytes of a message of so many, the rest of which was taken before, and the padding after them.
pub(super) fn compress_end(mut state: [u32; 8], rest: &[u8], length: usize) -> [u32; 8] {
    let (blocks, rest) = rest.as_chunks::<64>();
    compress256(&mut state, blocks);
    let mut last = [[0; 64]; 2];
    let count = if rest.len() + 9 <= 64 { 1 } else { 2 };
    if let Some((place, [bit, ..])) = last.as_flattened_mut().split_at_mut_checked(rest.len()) {
        place.copy_from_slice(rest);
        *bit = 0x80;
    }
    if let Some(last) = last.get_mut(..count) {
        if let Some(bits) = last.as_flattened_mut().last_chunk_mut() {
            *bits = (8 * length as u64).to_be_bytes();
        }
        compress256(&mut state, last);
    }
    state
}

/// Gives the lane the next message that has a block; false, and the lane is idle, if there is none.
fn next<'a>(lane: &mut Lane, messages: &mut impl Iterator<Item = Message<'a>>, results: &mut Vec<[u32; 8]>) -> bool {
    for message in messages {
        lane.index = Some(results.len());
        results.push(START);
        lane.fill(&message);
        if lane.count > 0 {
            return true;
        }
    }
    lane.index = None;
    false
}

fn put(results: &mut [[u32; 8]], index: usize, state: [u32; 8]) {
    if let Some(place) = results.get_mut(index) {
        *place = state;
    }
}
