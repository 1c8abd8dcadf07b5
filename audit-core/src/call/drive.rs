//! The body of an `async` function, polled inside the call's span and context.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{AssertUnwindSafe, catch_unwind};

use pin_project_lite::pin_project;

use super::Call;

pin_project! {
    /// The body of an `async` call. A panic in a poll is recorded and resumed; dropped early, the call is cancelled.
    ///
    /// It is polled and dropped inside the call, so that what it cleans up when it is cancelled belongs to the call.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Drive<'c, F> {
        call: &'c mut Call,
        // `None` only while it is dropped.
        #[pin]
        body: Option<F>,
    }

    impl<'c, F> PinnedDrop for Drive<'c, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(open) = &this.call.open {
                open.inside(|| this.body.set(None));
            }
        }
    }
}

impl<'c, F> Drive<'c, F> {
    pub(super) const fn new(call: &'c mut Call, body: F) -> Self {
        Self { call, body: Some(body) }
    }
}

impl<F: Future> Future for Drive<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { return Poll::Pending };
        let Some(open) = &mut this.call.open else { return body.poll(context) };
        open.body_began = true;
        let polled = open.inside(|| catch_unwind(AssertUnwindSafe(|| body.poll(context))));
        polled.unwrap_or_else(|payload| this.call.resume(payload))
    }
}
