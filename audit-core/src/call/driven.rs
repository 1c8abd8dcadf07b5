//! The body of an `async` function with its call inside, as one future: it awaits the record, polls the body inside the
//! call, and ends the call.
//!
//! One future, and not one after the other, because each `await` costs every audited function a state of its own, a way
//! to be dropped in it, and the tables for the unwinding of both.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{RefUnwindSafe, UnwindSafe};

use pin_project_lite::pin_project;

use super::{Call, Code};
use crate::unavailable::Unavailable;

pin_project! {
    /// A body for policies that let it run in any case. A panic in a poll is recorded and resumed; dropped early, the
    /// call is cancelled.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Driven<F, E> {
        // Dropped before the call, which is entered until then: what the body cleans up when it is cancelled belongs to
        // the call.
        #[pin]
        body: F,
        call: Call,
        end: E,
    }

    impl<F, E> PinnedDrop for Driven<F, E> {
        fn drop(this: Pin<&mut Self>) {
            this.project().call.enter_until_dropped();
        }
    }
}

pin_project! {
    /// A body for policies that refuse the call.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct CheckedDriven<F, E> {
        // Dropped before the call, as in `Driven`.
        #[pin]
        body: F,
        call: Call,
        refused: Option<Unavailable>,
        end: E,
    }

    impl<F, E> PinnedDrop for CheckedDriven<F, E> {
        fn drop(this: Pin<&mut Self>) {
            this.project().call.enter_until_dropped();
        }
    }
}

/// What ends a call holds nothing of the user's.
impl<F: UnwindSafe, E> UnwindSafe for Driven<F, E> {}
impl<F: RefUnwindSafe, E> RefUnwindSafe for Driven<F, E> {}
impl<F: UnwindSafe, E> UnwindSafe for CheckedDriven<F, E> {}
impl<F: RefUnwindSafe, E> RefUnwindSafe for CheckedDriven<F, E> {}

impl Call {
    /// Runs the body of an `async` function once the record is as durable as demanded. `end` records how the call ended,
    /// or takes the call out, to do so later.
    pub const fn driven<F, E, O>(self, body: F, end: E) -> Driven<F, E>
    where
        F: Future,
        E: FnMut(&mut Self, F::Output) -> O,
    {
        Driven { body, call: self, end }
    }

    /// Tells whether the body has to wait for the record.
    fn is_waiting(&mut self, context: &mut Context<'_>) -> bool {
        match self.poll_receipt(context) {
            Poll::Pending => return true,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => {
                let _counted = self.run_or_refuse(false, error);
            }
        }
        false
    }

    /// Waits for the record, or says why the body must not run.
    fn poll_checked(&mut self, context: &mut Context<'_>) -> Poll<Option<Unavailable>> {
        self.poll_receipt(context).map(|result| self.run_or_refuse(true, result.err()?))
    }

    /// Enters the call, for as long as it is not dropped.
    fn enter_until_dropped(&mut self) {
        if let Some(open) = &mut self.open {
            open.enter_until_left();
        }
    }
}

/// Runs the body of an `async` function once the record is as durable as demanded, unless the call is refused.
pub fn driven_checked<F, E, O>(call: Result<Call, Unavailable>, body: F, end: E) -> CheckedDriven<F, E>
where
    F: Future,
    E: FnMut(&mut Call, F::Output) -> O,
{
    let (call, refused) = match call {
        Ok(call) => (call, None),
        Err(unavailable) => (Call { open: None }, Some(unavailable)),
    };
    CheckedDriven { body, call, refused, end }
}

/// Leaves the end of the call to what comes after its future.
pub const fn apart<R>(call: &mut Call, returned: R) -> (Call, R) {
    (Call { open: call.open.take() }, returned)
}

impl<F, E, O> Future for Driven<F, E>
where
    F: Future,
    E: FnMut(&mut Call, F::Output) -> O,
{
    type Output = O;

    // Inlined, it is no function of its own beside the copy in the function that awaits it.
    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<O> {
        let this = self.project();
        if this.call.is_waiting(context) {
            return Poll::Pending;
        }
        let mut polled = Poll::Pending;
        this.call.enter_code(&mut Polling { body: this.body, context, polled: &mut polled });
        match polled {
            Poll::Ready(returned) => Poll::Ready((this.end)(this.call, returned)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<F, E, O> Future for CheckedDriven<F, E>
where
    F: Future,
    E: FnMut(&mut Call, F::Output) -> O,
{
    type Output = Result<O, Unavailable>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.refused.is_none() {
            match this.call.poll_checked(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(refused) => *this.refused = refused,
            }
        }
        if let Some(unavailable) = this.refused.take() {
            return Poll::Ready(Err(unavailable));
        }
        let mut polled = Poll::Pending;
        this.call.enter_code(&mut Polling { body: this.body, context, polled: &mut polled });
        match polled {
            Poll::Ready(returned) => Poll::Ready(Ok((this.end)(this.call, returned))),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// One poll of a body. It is no closure, which would bring two more functions into each audited one: those that call it
/// by value.
struct Polling<'p, 'c, F: Future> {
    body: Pin<&'p mut F>,
    context: &'p mut Context<'c>,
    polled: &'p mut Poll<F::Output>,
}

impl<F: Future> Code for Polling<'_, '_, F> {
    fn run(&mut self) {
        *self.polled = self.body.as_mut().poll(self.context);
    }
}
