//! The body of an `async` function, polled inside the call's span and context.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{RefUnwindSafe, UnwindSafe};

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
            this.call.enter_to_drop(&mut || this.body.set(None));
        }
    }
}

impl<F: UnwindSafe> UnwindSafe for Drive<'_, F> {}
impl<F: RefUnwindSafe> RefUnwindSafe for Drive<'_, F> {}

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
        let (mut body, mut polled) = (body, Poll::Pending);
        this.call.enter(&mut || polled = body.as_mut().poll(context));
        polled
    }
}
