//! What kind of value a function returns: a plain one, or a future or stream inside of which the call goes on.
//!
//! Futures are found by type, not by token. Method look-up on `&&&&&&Kind::<R>` takes the first of three impls that the
//! type meets: a boxed future or stream, which is boxed again with the call inside; any other future, whose end nobody
//! sees; everything else. What comes out is a tag with the same methods for each kind.

mod futures;
mod streams;

use core::fmt;
use core::marker::PhantomData;

use futures_core::Stream;

use super::guard::{Late, Settling};
use super::{Begin, Call, Ending, Items};
use crate::sink::Receipt;
use crate::unavailable::Unavailable;

pub use futures::WithoutVariables;
pub use streams::{HasOpaqueKind, OpaqueBoxed, OpaqueBoxedResult, OpaqueResult, OpaqueStream};

/// Stands for a type, without a value of it.
pub struct Kind<R>(PhantomData<fn() -> R>);

impl<R> fmt::Debug for Kind<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kind")
    }
}

impl<R> Kind<R> {
    /// Stands for the type.
    pub const OF: Self = Self(PhantomData);

    /// Stands for the type of a value.
    pub const fn of(_: &R) -> Self {
        Self::OF
    }
}

/// The rungs of the ladder: boxed futures and streams (`&&&&&Kind`), other futures and
/// streams, everything else.
pub trait HasKind {
    /// The tag.
    type Tag;
    /// Returns the tag.
    fn kind(&self) -> Self::Tag;
}

/// What cannot be wrapped, because its type would be another.
macro_rules! unwatched {
    ($($(#[$doc:meta])* [$($generic:tt)*] $kind:ty;)+) => {$(
        $(#[$doc])*
        impl<$($generic)*> HasKind for $kind {
            type Tag = Unwatched;

            fn kind(&self) -> Unwatched {
                Unwatched
            }
        }
    )+};
}

unwatched! {
    [R: Future] &&&&Kind<R>;
    [R: Stream] &&&Kind<R>;
    [R: Future + ?Sized] &&Kind<Box<R>>;
    [R: Future, E] &&Kind<Result<R, E>>;
    [R: Future] &&Kind<Option<R>>;
    [R: Stream + ?Sized] &Kind<Box<R>>;
    [R: Stream, E] &Kind<Result<R, E>>;
    [R: Stream] &Kind<Option<R>>;
}

impl<R> HasKind for Kind<R> {
    type Tag = Plain;

    fn kind(&self) -> Plain {
        Plain
    }
}

macro_rules! tags {
    ($($(#[$doc:meta])* $tag:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $tag;
    )+};
}

tags! {
    /// A value whose being returned ends the call.
    Plain
    /// A future or stream that cannot be wrapped: it has a type of its own.
    Unwatched
    /// `Pin<Box<dyn Future>>`.
    BoxedFuture
    /// `Pin<Box<dyn Future + Send>>`.
    BoxedFutureSend
    /// `Pin<Box<dyn Future + Send + Sync>>`.
    BoxedFutureSync
    /// `Box<dyn Future + Unpin>`.
    UnpinFuture
    /// `Box<dyn Future + Unpin + Send>`.
    UnpinFutureSend
    /// `Pin<Box<dyn Stream>>`.
    BoxedStream
    /// `Pin<Box<dyn Stream + Send>>`.
    BoxedStreamSend
    /// `Pin<Box<dyn Stream + Send + Sync>>`.
    BoxedStreamSync
    /// `Result<Pin<Box<dyn Stream>>, E>`.
    BoxedStreamResult
    /// `Result<Pin<Box<dyn Stream + Send>>, E>`.
    BoxedStreamSendResult
    /// `Result<Pin<Box<dyn Stream + Send + Sync>>, E>`.
    BoxedStreamSyncResult
}

/// Records the end of a call that a plain value ended.
macro_rules! ends_when_returned {
    ($($tag:ident)+) => {$(
        impl $tag {
            /// Waits for the record, for the policy that counts.
            pub fn call(self, begun: Begin) -> Call {
                begun.call()
            }

            /// Waits for the record, for the policy that panics.
            #[track_caller]
            pub fn call_or_panic(self, begun: Begin) -> Call {
                begun.call()
            }

            /// Waits for the record, for policies that refuse the call.
            ///
            /// # Errors
            /// The call cannot be recorded and must not run.
            pub fn checked(self, begun: Begin) -> Result<Call, Unavailable> {
                begun.checked()
            }

            /// Makes the value of a call that was refused.
            pub fn refuse<R>(self, unavailable: Unavailable, refuse: impl FnOnce(Unavailable) -> R) -> R {
                refuse(unavailable)
            }

            /// Makes the value of a call that was refused, where that uses variables of the function.
            pub fn refuse_at_once<R>(self, unavailable: Unavailable, refuse: impl FnOnce(Unavailable) -> R) -> R {
                refuse(unavailable)
            }

            /// Ends the call with what the body returned.
            pub fn deliver<R>(self, call: Call, returned: R, settling: Settling<R>, _: Late<R>) -> R {
                settling(call, returned, true)
            }

            /// Ends the call with what the body returned, where the refusal uses variables of the function.
            pub fn deliver_at_once<R>(self, call: Call, returned: R, settling: Settling<R>) -> R {
                settling(call, returned, true)
            }
        }
    )+};
}

ends_when_returned! {
    Plain Unwatched
    BoxedStream BoxedStreamSend BoxedStreamSync BoxedStreamResult BoxedStreamSendResult BoxedStreamSyncResult
}

impl Plain {
    /// Records the end.
    pub fn settle<R>(
        self,
        mut call: Call,
        returned: R,
        tell: fn(&R, &mut Ending<'_>),
        _: fn(&(), &mut Items),
    ) -> (R, Option<Receipt>) {
        let receipt = call.append_ending(&mut |ending| tell(&returned, ending));
        (returned, receipt)
    }
}

impl Unwatched {
    /// Records that the future was returned, and that its end is not seen.
    pub fn settle<R>(
        self,
        mut call: Call,
        returned: R,
        _: fn(&R, &mut Ending<'_>),
        _: fn(&(), &mut Items),
    ) -> (R, Option<Receipt>) {
        let receipt = call.append_ending(&mut |ending| ending.unwatched());
        (returned, receipt)
    }
}
