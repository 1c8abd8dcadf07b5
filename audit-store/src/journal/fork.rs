//! How a forked child knows itself, at the cost of one load.

use core::sync::atomic::Ordering::Relaxed;
use std::process;

use super::map::Mapped;

/// Made by one process; a child that is forked off later can tell that it is another one.
///
/// Where the kernel can, a page is kept that it hands to children zeroed (`MADV_WIPEONFORK`, Linux 4.14). Elsewhere the
/// process's number is asked for.
#[derive(Debug)]
pub(super) struct ForkMark {
    page: Option<Mapped>,
    process_id: u32,
}

impl ForkMark {
    pub(super) fn new() -> Self {
        Self { page: marked_page(), ..Self::by_process_id() }
    }

    /// Does without a page.
    pub(super) fn by_process_id() -> Self {
        Self { page: None, process_id: process::id() }
    }

    /// Tells whether this process is not the one that made the mark.
    #[inline]
    pub(super) fn is_child(&self) -> bool {
        match &self.page {
            Some(page) => page.words().first().is_none_or(|word| word.load(Relaxed) == 0),
            None => self.process_id != process::id(),
        }
    }
}

fn marked_page() -> Option<Mapped> {
    let page = Mapped::page().ok()?;
    page.wipe_on_fork().ok()?;
    page.words().first()?.store(1, Relaxed);
    Some(page)
}
