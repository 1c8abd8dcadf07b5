use std::fs;
use std::path::PathBuf;

use audit_core::entry::{LINE_BYTES_MAX, Sequence, write_line};
use audit_core::hash::Hash;
use tempfile::TempDir;

use super::seal::seal_in_frames;
use super::*;
use crate::disk::SystemDisk;
use crate::layout::Layout;
use crate::read::{Lines, Segments};

mod compacting;
pub(crate) mod failing;
mod form;
mod reading;
mod sealing;
mod states;

/// Enough for the longest line, and little enough that a small segment has many frames.
const SMALL_FRAME: usize = LINE_BYTES_MAX + 1;

/// Entries as an agent's log has them: much that is repeated and some that is not.
fn entries(numbers: core::ops::Range<u64>) -> Vec<u8> {
    let mut text = Vec::new();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64 ^ numbers.start;
    for number in numbers {
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let record = format!(
            r#"{{"action":"order.sync","actor":{{"agent":{{"id":"agent:support-7"}}}},"call":{{"id":"01a17cbd-e826-77ed-86a8-{:012x}"}},"event_name":"tool.called","request":{{"arguments":{{"order":"A-{}","city":"{:x}"}}}},"schema_version":"1","stage":"started","time":"2026-10-27T09:43:02.{:09}Z"}}"#,
            next() >> 16,
            next() % 5_000,
            next() % 97,
            next() % 1_000_000_000,
        );
        let mut line = Vec::new();
        let previous_hash = (number > 0).then(|| Hash::of(&number.to_le_bytes()));
        let stream_id = "01a17cbc-f240-7dca-883e-717b1f64eb14".parse().unwrap();
        write_line(&mut line, record.as_bytes(), &Sequence { number, previous_hash, stream_id });
        text.extend(line);
        text.push(b'\n');
    }
    text
}

/// A directory with nothing but segments, each named by its first entry.
fn log(segments: &[(u64, &[u8])]) -> (TempDir, Layout) {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path());
    fs::create_dir(layout.segments()).unwrap();
    for (first, bytes) in segments {
        fs::write(layout.segment(*first), bytes).unwrap();
    }
    (directory, layout)
}

/// A log of one segment, sealed in small frames, its lines and the path of the compressed file.
fn sealed(count: u64) -> (TempDir, Layout, Vec<u8>, PathBuf) {
    sealed_in(count, SMALL_FRAME)
}

fn sealed_in(count: u64, frame_bytes: usize) -> (TempDir, Layout, Vec<u8>, PathBuf) {
    let text = entries(0..count);
    let (directory, layout) = log(&[(0, &text)]);
    seal_in_frames(&SystemDisk, &layout, 0, frame_bytes).unwrap();
    let path = layout.compressed_segment(0);
    (directory, layout, text, path)
}

/// Reads all lines, one after the other.
fn lines(layout: &Layout) -> Result<Vec<u8>, String> {
    rest_of(Lines::open(&layout.directory).map_err(|fault| fault.to_string())?)
}

fn rest_of(mut lines: Lines) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    while let Some(line) = lines.next_line() {
        text.extend_from_slice(line.map_err(|fault| fault.to_string())?.bytes);
        text.push(b'\n');
    }
    text.extend_from_slice(lines.tail().start);
    Ok(text)
}

/// Reads all lines chunk by chunk, the tail included.
fn chunked(layout: &Layout) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let mut buffer = Buffer::default();
    for segment in Segments::list(&layout.directory).map_err(|fault| fault.to_string())?.as_slice() {
        let mut chunks = Chunks::open(&layout.directory, segment).map_err(|fault| fault.to_string())?;
        while let Some(chunk) = chunks.next_chunk() {
            let chunk = chunk.map_err(|fault| fault.to_string())?;
            let lines = chunk.read(&mut buffer).map_err(|fault| fault.to_string())?;
            assert!(lines.ends_with(b"\n") && lines.len() <= CHUNK_BYTES_MAX);
            text.extend_from_slice(lines);
        }
        text.extend_from_slice(chunks.tail().start);
    }
    Ok(text)
}

fn names(layout: &Layout) -> Vec<String> {
    let entries = fs::read_dir(layout.segments()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
