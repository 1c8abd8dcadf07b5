//! The call protocol: what the expansion of `#[audited]` does before and after the body.
//!
//! ```text
//! begin ─▶ arguments captured, `started` appended ─▶ (receipt) ─▶ body ─▶ finish: `completed` appended
//!                                                        └ dropped: `cancelled`   └ panicked: `panicked`, resumed
//! ```

mod arguments;
mod begin;
mod drive;
mod driven;
mod ending;
mod guard;
mod kept;
mod kind;
mod open;
mod plan;
pub(crate) mod registry;
mod site;
mod span;
mod stream;
mod telemetry;

use core::any::Any;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};

use crate::sink::{AppendError, Receipt};
use crate::time::{Clock as _, SystemClock};
use crate::unrecorded;
use crate::vocabulary::{Durability, Stages};

pub use arguments::{Arguments, Place};
pub use begin::{
    Begin, CheckedReady, Given, Ready, begin, call, call_now, call_now_or_panic, call_or_panic, checked, checked_now,
};
pub(crate) use begin::{Label, Taken, begin_as};
pub use drive::Drive;
pub use driven::{CheckedDriven, Driven, apart, driven_checked};
pub use ending::{Ending, Produce, Tell, Told};
pub use guard::{Guarded, guarded, refused};
use kept::Kept;
pub use kind::*;
use open::{Open, expect_run};
pub use site::{Exemption, OnUnavailable, Site};
pub use stream::{Counted, Items};

/// One call, between its beginning and its end. Dropped before its end, it is recorded as cancelled.
#[derive(Debug)]
pub struct Call {
    /// `None` if the call runs unrecorded, or once its end is recorded.
    open: Option<Kept>,
}

/// An audited future is as unwind safe as the plain one: what a panic may leave behind in a call is a record of it.
impl UnwindSafe for Call {}
impl RefUnwindSafe for Call {}

impl Call {
    /// Runs the body of a function that is not `async`.
    // Inlined, it is no function of its own in each audited one, with tables of its own for the unwinding.
    #[inline]
    pub fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
        let mut run = Run { body: Some(body), returned: None };
        self.enter_code(&mut run);
        expect_run(run.returned)
    }

    /// Runs user code in the call; a panic is recorded and resumed.
    fn enter(&mut self, mut code: impl FnMut()) {
        self.enter_code(&mut code);
    }

    /// Runs user code in the call. Not generic: it is compiled once, not once in each audited function.
    fn enter_code(&mut self, code: &mut dyn Code) {
        let Some(open) = &mut self.open else { return code.run() };
        open.body_began = true;
        let mut caught = Ok(());
        open.enter(&mut || caught = catch_unwind(AssertUnwindSafe(|| code.run())));
        if let Err(payload) = caught {
            self.resume(payload);
        }
    }

    /// Drops what the call leaves behind, inside of it.
    fn enter_to_drop(&mut self, code: &mut dyn FnMut()) {
        match &mut self.open {
            Some(open) => open.enter(code),
            None => code(),
        }
    }

    /// Runs the body of an `async` function; its span and context are entered at each poll.
    pub fn drive<F: Future>(&mut self, body: F) -> Drive<'_, F> {
        Drive::new(self, body)
    }

    /// Records what its body returned. Where durability demands it, waits until the record is on the disk.
    pub fn end(&mut self, told: Told<'_>) {
        self.finish(&mut |ending| ending.take(&told));
    }

    /// Records what its body returned, without waiting: an executor's thread is never blocked.
    pub fn end_async(&mut self, told: Told<'_>) {
        self.finish_async(&mut |ending| ending.take(&told));
    }

    /// Records how the call ended. Where durability demands it, waits until the record is on the disk.
    pub fn finish(&mut self, tell: &mut Tell<'_>) {
        let waits = |open: &&Kept| open.site.durability == Some(Durability::Disk) && !open.span.is_disabled();
        let span = self.open.as_ref().filter(waits).map(|open| open.span.clone());
        match (self.append_ending(tell), span) {
            // Who has waited for the disk knows the place, too.
            (Some(receipt), Some(span)) => {
                settle(receipt.wait_placed().map(|number| span::record_number(&span, number)))
            }
            (receipt, _) => wait(receipt),
        }
    }

    /// Records how the call ended, without waiting: an executor's thread is never blocked.
    pub fn finish_async(&mut self, tell: &mut Tell<'_>) {
        note(self.append_ending(tell));
    }

    /// Records how the call ended; the receipt is to be awaited if durability demands it.
    pub fn append_ending(&mut self, tell: &mut Tell<'_>) -> Option<Receipt> {
        let mut open = self.open.take()?;
        let mut told = None;
        let ended = open.told(tell, &mut told);
        let durability = open.ruled(Some(ended.outcome.status)).durability;
        open.append_end(ended, durability)
    }

    fn resume(&mut self, payload: Box<dyn Any + Send>) -> ! {
        if let Some(mut open) = self.open.take() {
            let message = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
            let ended = open.panicked(message);
            note(open.append_end(&ended, None));
        }
        resume_unwind(payload)
    }
}

/// User code that runs in a call.
trait Code {
    /// Runs it.
    fn run(&mut self);
}

impl<F: FnMut()> Code for F {
    fn run(&mut self) {
        self();
    }
}

/// The body of a function that is not `async`.
struct Run<B, R> {
    /// `None` once it ran.
    body: Option<B>,
    returned: Option<R>,
}

impl<B: FnOnce() -> R, R> Code for Run<B, R> {
    fn run(&mut self) {
        if let Some(body) = self.body.take() {
            self.returned = Some(body());
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        open.leave();
        // A call that the log refused never was: its function returned without running the body.
        if open.in_log || open.body_began || open.stages() == Stages::Completed {
            let ended = open.cancelled();
            note(open.append_end(&ended, None));
        }
    }
}

/// A closing record that is not in the log never changes what the function returns: it is counted, and recovery will
/// report the call unresolved.
fn settle(result: Result<(), AppendError>) {
    if let Err(error) = result {
        count(&error);
    }
}

fn count(error: &AppendError) {
    unrecorded::add(SystemClock.now(), Some(error), error);
}

/// Waits for the receipt of a closing record, on a thread that may be blocked.
pub fn wait(receipt: Option<Receipt>) {
    if let Some(receipt) = receipt {
        settle(receipt.wait_kept());
    }
}

/// Does not wait for a closing record; it is counted if it fails, be it later.
pub fn note(receipt: Option<Receipt>) {
    if let Some(receipt) = receipt {
        receipt.leave(count);
    }
}

/// Awaits the receipt of a closing record.
pub async fn settled(receipt: Option<Receipt>) {
    if let Some(mut receipt) = receipt {
        settle(core::future::poll_fn(|context| receipt.poll_kept(context)).await);
    }
}
