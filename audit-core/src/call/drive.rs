//! The body of an `async` function, polled inside the call's span and context.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{AssertUnwindSafe, catch_unwind};

use pin_project_lite::pin_project;

use super::Call;

pin_project! {
    /// The body of an `async` call. A panic in a poll is recorded and resumed; dropped early, the call is cancelled.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Drive<'c, F> {
        call: &'c mut Call,
        #[pin]
        body: F,
    }
}

impl<'c, F> Drive<'c, F> {
    pub(super) const fn new(call: &'c mut Call, body: F) -> Self {
        Self { call, body }
    }
}

impl<F: Future> Future for Drive<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(open) = &mut this.call.open else { return this.body.poll(context) };
        open.body_began = true;
        let polled = {
            let _span = open.span.enter();
            let _ambient = open.enter_ambient();
            catch_unwind(AssertUnwindSafe(|| this.body.poll(context)))
        };
        polled.unwrap_or_else(|payload| this.call.resume(payload))
    }
}
