//! A future that a function returned without being `async`: the call goes on inside it.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::UnwindSafe;

use pin_project_lite::pin_project;

use super::{Begin, Call, Ending, note};
use crate::sink::AppendError;
use crate::unavailable::Unavailable;

/// Ends a call with what its future resolved to: the expansion's own closure, which may find a stream in it.
pub(super) type Settling<O> = fn(Call, O, bool) -> O;

/// Makes what the future resolves to where the call was refused after all.
pub(super) type Late<O> = Option<fn(Unavailable) -> O>;

/// How the call of a future ends.
pub(super) enum End<O> {
    Settling(Settling<O>),
    Telling(fn(&O, &mut Ending<'_>)),
}

pin_project! {
    /// A returned future with its call inside. Dropped early, the call is cancelled; a panic is recorded and resumed.
    ///
    /// It is polled and dropped inside the call. Where the record of the intent is still on its way to the disk, the
    /// first poll awaits it.
    #[must_use = "futures do nothing unless polled"]
    pub struct Guarded<F>
    where
        F: Future,
    {
        call: Option<Call>,
        // `None` only while it is dropped, and in a future that was refused.
        #[pin]
        body: Option<F>,
        end: End<F::Output>,
        late: Late<F::Output>,
        refused: Option<Unavailable>,
    }

    impl<F> PinnedDrop for Guarded<F>
    where
        F: Future,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            match this.call {
                Some(call) => call.enter_to_drop(&mut || this.body.set(None)),
                None => this.body.set(None),
            }
        }
    }
}

impl<F: Future + UnwindSafe> UnwindSafe for Guarded<F> {}

impl<F: Future> core::fmt::Debug for Guarded<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Guarded").field("call", &self.call).finish_non_exhaustive()
    }
}

/// Puts the call into the future that its function returned.
pub fn guarded<F: Future>(call: Call, body: F, settling: Settling<F::Output>, late: Late<F::Output>) -> Guarded<F> {
    Guarded::new(call, body, End::Settling(settling), late)
}

/// Makes a future that resolves to the refusal of its call.
pub fn refused<F: Future>(unavailable: Unavailable, refuse: fn(Unavailable) -> F::Output) -> Guarded<F> {
    let end = End::Telling(|_, _| {});
    Guarded { call: None, body: None, end, late: Some(refuse), refused: Some(unavailable) }
}

impl<F: Future> Guarded<F> {
    pub(super) const fn new(call: Call, body: F, end: End<F::Output>, late: Late<F::Output>) -> Self {
        Self { call: Some(call), body: Some(body), end, late, refused: None }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let (Some(unavailable), Some(refuse)) = (this.refused.take(), *this.late) {
            return Poll::Ready(refuse(unavailable));
        }
        let Some(call) = this.call.as_mut() else { return Poll::Pending };
        match call.poll_receipt(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
                if let Some(unavailable) = call.run_or_refuse(this.late.is_some(), error) {
                    *this.refused = Some(unavailable);
                }
            }
        }
        if let (Some(unavailable), Some(refuse)) = (this.refused.take(), *this.late) {
            this.body.set(None);
            drop(this.call.take());
            return Poll::Ready(refuse(unavailable));
        }
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Pending };
        let mut polled = Poll::Pending;
        call.enter(&mut || polled = body.as_mut().poll(context));
        let Poll::Ready(output) = polled else { return Poll::Pending };
        let Some(mut call) = this.call.take() else { return Poll::Ready(output) };
        Poll::Ready(match this.end {
            End::Settling(settling) => settling(call, output, false),
            End::Telling(tell) => {
                note(call.append_ending(&mut |ending| tell(&output, ending)));
                output
            }
        })
    }
}

impl Call {
    /// Waits for the record of the intent, if it is still on its way.
    pub(super) fn poll_receipt(&mut self, context: &mut Context<'_>) -> Poll<Result<(), AppendError>> {
        let Some(receipt) = self.open.as_mut().and_then(|open| open.receipt.as_mut()) else {
            return Poll::Ready(Ok(()));
        };
        let Poll::Ready(result) = receipt.poll_kept(context) else { return Poll::Pending };
        if let Some(open) = &mut self.open {
            open.receipt = None;
        }
        Poll::Ready(result)
    }

    /// Counts a call that runs without its record, or returns why it does not run.
    pub(super) fn run_or_refuse(&mut self, refuses: bool, error: AppendError) -> Option<Unavailable> {
        let open = self.open.take()?;
        if refuses {
            let unavailable = Unavailable::new(open.action.clone(), Some(error));
            // Dropped, it is cancelled: the record of its intent may be in the log, if not on the disk.
            self.open = Some(open);
            return Some(unavailable);
        }
        let begun = Begin::without_receipt(open);
        self.open = begun.run_anyway(Err(error)).open.take();
        None
    }
}
