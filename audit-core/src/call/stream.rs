//! A stream that a function returned: one call, whose end says how many items it had.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::open::{Ended, Open};
use super::{Call, note};
use crate::outcome::{Conclusion, ErrorFacts};
use crate::record::Response;
use crate::vocabulary::Level;

/// How many items a stream had, and the first error among them.
#[derive(Debug, Default)]
pub struct Items {
    succeeded: u64,
    failed: u64,
    first_error: Option<FirstError>,
    /// What errors say is not recorded.
    hidden: bool,
}

#[derive(Debug)]
struct FirstError {
    error_type: String,
    type_name: String,
    text: Option<String>,
}

impl Items {
    /// Counts an item.
    pub const fn succeeded(&mut self) {
        self.succeeded += 1;
    }

    /// Counts an item that is an error.
    pub fn failed(&mut self, facts: ErrorFacts<'_>) {
        self.failed += 1;
        let hidden = self.hidden;
        self.first_error.get_or_insert_with(|| {
            let facts = facts.forms();
            FirstError {
                error_type: if hidden { facts.type_name() } else { facts.error_type() },
                type_name: facts.type_name(),
                text: facts.text(),
            }
        });
    }

    fn conclusion(&mut self) -> Conclusion {
        let Some(FirstError { error_type, type_name, text }) = self.first_error.take() else {
            return Conclusion::success();
        };
        let mut conclusion = match self.succeeded {
            0 => Conclusion::known_failure(&type_name),
            succeeded => Conclusion::partial(succeeded, self.failed),
        };
        conclusion.error_type = Some(error_type);
        conclusion.type_name = Some(type_name);
        conclusion.reason = text;
        conclusion
    }
}

pin_project! {
    /// A returned stream with its call inside. Its end is the call's; dropped before it, the call is cancelled. Either
    /// way the record says how many items there were.
    #[must_use = "streams do nothing unless polled"]
    pub struct Counted<S>
    where
        S: Stream,
    {
        call: Call,
        // `None` only while it is dropped.
        #[pin]
        stream: Option<S>,
        item: fn(&S::Item, &mut Items),
        items: Items,
    }

    impl<S> PinnedDrop for Counted<S>
    where
        S: Stream,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.call.enter_to_drop(&mut || this.stream.set(None));
            this.call.cancel_after(this.items);
        }
    }
}

impl<S: Stream + UnwindSafe> UnwindSafe for Counted<S> {}

impl<S: Stream> core::fmt::Debug for Counted<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Counted").field("call", &self.call).field("items", &self.items).finish_non_exhaustive()
    }
}

impl<S: Stream> Counted<S> {
    pub(super) fn new(call: Call, stream: S, item: fn(&S::Item, &mut Items)) -> Self {
        let hidden = call.open.as_ref().is_some_and(|open| open.hides_errors());
        Self { call, stream: Some(stream), item, items: Items { hidden, ..Items::default() } }
    }
}

impl<S: Stream> Stream for Counted<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(mut stream) = this.stream.as_pin_mut() else { return Poll::Pending };
        let mut polled = Poll::Pending;
        this.call.enter(&mut || polled = stream.as_mut().poll_next(context));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(item)) => this.call.count(|| (this.item)(item, this.items)),
            Poll::Ready(None) => this.call.finish_after(this.items),
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl Call {
    /// Looks at an item: what its error says is the user's code.
    fn count(&mut self, look: impl FnOnce()) {
        let mut look = Some(look);
        let mut code = || {
            let _panicked = look.take().map(|look| catch_unwind(AssertUnwindSafe(look)));
        };
        if let Some(open) = &mut self.open {
            open.enter(&mut code);
        }
    }

    fn finish_after(&mut self, items: &mut Items) {
        let Some(mut open) = self.open.take() else { return };
        let ended = open.ended(items.conclusion(), None);
        let ended = Ended { response: open.response_of_stream(&ended, items.seen()), ..ended };
        let durability = open.ruled(Some(ended.outcome.status)).durability;
        note(open.append_end(&ended, durability));
    }

    fn cancel_after(&mut self, items: &Items) {
        let Some(mut open) = self.open.take() else { return };
        let ended = open.cancelled();
        let ended = Ended { response: open.response_of_stream(&ended, items.seen()), ..ended };
        note(open.append_end(&ended, None));
    }
}

impl Items {
    const fn seen(&self) -> u64 {
        self.succeeded + self.failed
    }
}

impl Open {
    fn response_of_stream(&self, ended: &Ended, items: u64) -> Option<Response> {
        let level = self.ruled(Some(ended.outcome.status)).level?;
        (level != Level::Metadata).then(|| Response::of_stream(items))
    }
}
