//! The thread that writes the tiles of a log as it grows, behind its checkpoints.
//!
//! It reads the segments, so that neither the writer nor a caller does anything for it, and what it did not get to is made
//! up for after the next opening. A log whose tiles cannot be written is as good as one without any: whoever reads it makes
//! them from the segments.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use audit_core::hash::Hash;
use audit_core::tile::{Tile, WIDTH};
use audit_core::verify::Head;

use crate::layout::Layout;
use crate::tiles::{Entries, Growing, TileFiles, Tiles};

/// How many leaves are read at once.
const STEP: u64 = WIDTH as u64;

/// How many entries may lie between the tiles and the last checkpoint for closing to wait for them: less than a second of work.
const CLOSING_ENTRIES_MAX: u64 = 1 << 20;

/// Writes the tiles of one log.
pub(super) struct Tiler {
    layout: Layout,
    wanted: Mutex<Wanted>,
    wake: Condvar,
}

#[derive(Default)]
struct Wanted {
    /// The newest checkpoint's.
    head: Option<Head>,
    is_closing: bool,
    thread: Option<JoinHandle<()>>,
}

impl Tiler {
    pub(super) fn new(layout: Layout) -> Self {
        Self { layout, wanted: Mutex::default(), wake: Condvar::new() }
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a checkpoint, whose entries are in the segments.
    pub(super) fn cover(self: &Arc<Self>, head: Head) {
        let mut wanted = self.wanted();
        wanted.head = Some(head);
        self.wake.notify_one();
        if wanted.thread.is_none() && !wanted.is_closing {
            let tiler = Arc::clone(self);
            let spawned = Builder::new().name("audited-tiles".to_owned()).spawn(move || {
                step_back();
                tiler.run();
            });
            wanted.thread = spawned.ok();
        }
    }

    /// Ends the thread, before the log's lock is released: it finishes what is little, and leaves the rest.
    pub(super) fn finish(&self) {
        let thread = {
            let mut wanted = self.wanted();
            wanted.is_closing = true;
            wanted.thread.take()
        };
        self.wake.notify_one();
        if let Some(thread) = thread {
            let _panicked = thread.join();
        }
    }

    fn run(&self) {
        let mut writing: Option<Writing> = None;
        let mut done = 0;
        while let Some(head) = self.next(done) {
            done = head.size;
            let at = match writing.take() {
                Some(writing) => writing,
                None => Writing::resume(&self.layout, head.size),
            };
            // What fails is tried again with the next checkpoint, from what is there by then.
            writing = match at.grow(head, |size| self.is_too_late(size)) {
                Ok(grown) => grown,
                Err(NotTheLog) => return,
            };
        }
    }

    /// Waits for a checkpoint of another size; none at the end.
    fn next(&self, done: u64) -> Option<Head> {
        let is_idle = |wanted: &mut Wanted| wanted.head.is_none_or(|head| head.size == done) && !wanted.is_closing;
        let wanted = self.wake.wait_while(self.wanted(), is_idle).unwrap_or_else(PoisonError::into_inner);
        wanted.head.filter(|head| head.size != done)
    }

    /// Tells whether the log is being closed, and too much is left to do at this size.
    fn is_too_late(&self, size: u64) -> bool {
        let wanted = self.wanted();
        wanted.is_closing && wanted.head.is_some_and(|head| head.size.saturating_sub(size) > CLOSING_ENTRIES_MAX)
    }
}

/// The segments do not hold what the log's checkpoints cover: no tile of theirs is right.
struct NotTheLog;

/// How far the tiles are written.
struct Writing {
    layout: Layout,
    files: TileFiles,
    entries: Entries,
    tree: Growing,
}

impl Writing {
    /// Goes on where the files end: behind the last full tile of leaves that another follows.
    fn resume(layout: &Layout, size: u64) -> Self {
        let files = TileFiles::new(layout);
        // Of the last one it is not known whether the tiles above were written, too.
        let full = first_missing(&files, size / STEP).saturating_sub(1);
        let tree = edge(&mut Tiles::new(layout), full * STEP).unwrap_or_default();
        Self { layout: layout.clone(), files, entries: Entries::new(layout), tree }
    }

    /// Writes the tiles up to a checkpoint; none if something failed, or it is too late.
    fn grow(mut self, head: Head, is_too_late: impl Fn(u64) -> bool) -> Result<Option<Self>, NotTheLog> {
        let mut is_read = self.read_up_to(head.size, &is_too_late).is_some();
        if is_read && self.tree.root() != head.root {
            // What is in the files is not of this log: all are written anew.
            self.tree = Growing::default();
            self.entries = Entries::new(&self.layout);
            is_read = self.read_up_to(head.size, &is_too_late).is_some();
            if is_read && self.tree.root() != head.root {
                return Err(NotTheLog);
            }
        }
        let is_written = is_read && self.tree.partial().all(|(tile, hashes)| self.files.write(tile, hashes).is_ok());
        Ok(is_written.then_some(self))
    }

    fn read_up_to(&mut self, size: u64, is_too_late: impl Fn(u64) -> bool) -> Option<()> {
        let mut leaves: Vec<Hash> = Vec::new();
        while self.tree.size() < size {
            if is_too_late(self.tree.size()) {
                return None;
            }
            let end = size.min((self.tree.size() / STEP + 1) * STEP);
            leaves.clear();
            let is_whole = self.entries.leaves(self.tree.size()..end, &mut leaves).ok()?;
            if !is_whole {
                return None;
            }
            let files = &self.files;
            leaves
                .iter()
                .try_for_each(|leaf| self.tree.push(*leaf, &mut |tile, hashes| files.write(tile, hashes)))
                .ok()?;
        }
        Some(())
    }
}

/// Returns the number of the first tile of leaves that is missing, of so many, if all before it are there.
fn first_missing(files: &TileFiles, count: u64) -> u64 {
    let (mut present, mut missing) = (0, count);
    while present < missing {
        let middle = present + (missing - present) / 2;
        if Tile::new(0, middle, WIDTH).is_some_and(|tile| files.has(tile)) {
            present = middle + 1;
        } else {
            missing = middle;
        }
    }
    present
}

/// Returns the tree at a size, from the tiles below it.
fn edge(tiles: &mut Tiles, size: u64) -> Option<Growing> {
    let mut edge = Vec::new();
    let mut partial = audit_core::tile::partial_tiles(size).peekable();
    for level in 0..=audit_core::tile::LEVEL_MAX {
        let tile = partial.next_if(|tile| tile.level() == level);
        edge.push(tile.map_or(Some(Vec::new()), |tile| tiles.tile(tile).ok())?);
    }
    Growing::resume(size, edge)
}
/// Lets every other thread go first where processors are scarce: nobody waits for tiles, and they can be late.
fn step_back() {
    // Linux keeps a priority for each thread; elsewhere it would be that of the whole process.
    #[cfg(target_os = "linux")]
    let _as_before_if_it_fails = rustix::process::nice(10);
}
