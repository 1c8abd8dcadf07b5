//! Streams, also inside a `Result`: one call, whose end says how many items there were.

use core::pin::Pin;

use futures_core::Stream;

use super::{
    BoxedStream, BoxedStreamResult, BoxedStreamSend, BoxedStreamSendResult, BoxedStreamSync, BoxedStreamSyncResult,
    HasKind, Kind,
};
use crate::call::stream::Counted;
use crate::call::{Call, Ending, Items};
use crate::sink::Receipt;

macro_rules! streams {
    ($($tag:ident, $in_result:ident: [$($bounds:tt)*];)+) => {$(
        impl<'a, T> HasKind for &&&&&Kind<Pin<Box<dyn Stream<Item = T> $($bounds)* + 'a>>> {
            type Tag = $tag;

            fn kind(&self) -> $tag {
                $tag
            }
        }

        impl<'a, T, E> HasKind for &&&&&Kind<Result<Pin<Box<dyn Stream<Item = T> $($bounds)* + 'a>>, E>> {
            type Tag = $in_result;

            fn kind(&self) -> $in_result {
                $in_result
            }
        }

        impl $tag {
            /// Puts the call into the stream.
            pub fn settle<'a, T: 'a>(
                self,
                call: Call,
                returned: Pin<Box<dyn Stream<Item = T> $($bounds)* + 'a>>,
                _: fn(&(), &mut Ending<'_>),
                item: fn(&T, &mut Items),
            ) -> (Pin<Box<dyn Stream<Item = T> $($bounds)* + 'a>>, Option<Receipt>) {
                (Box::pin(Counted::new(call, returned, item)), None)
            }
        }

        impl $in_result {
            /// Puts the call into the stream, or ends it with the error.
            pub fn settle<'a, T: 'a, E>(
                self,
                call: Call,
                returned: Result<Pin<Box<dyn Stream<Item = T> $($bounds)* + 'a>>, E>,
                tell: fn(&Result<(), E>, &mut Ending<'_>),
                item: fn(&T, &mut Items),
            ) -> (Result<Pin<Box<dyn Stream<Item = T> $($bounds)* + 'a>>, E>, Option<Receipt>) {
                match returned {
                    Ok(stream) => (Ok(Box::pin(Counted::new(call, stream, item))), None),
                    Err(error) => failed(call, error, tell),
                }
            }
        }
    )+};
}

streams! {
    BoxedStream, BoxedStreamResult: [];
    BoxedStreamSend, BoxedStreamSendResult: [+ Send];
    BoxedStreamSync, BoxedStreamSyncResult: [+ Send + Sync];
}

/// Ends a call that returned an error in the place of a stream.
fn failed<S, E>(
    mut call: Call,
    error: E,
    tell: fn(&Result<(), E>, &mut Ending<'_>),
) -> (Result<S, E>, Option<Receipt>) {
    let ended = Err(error);
    let receipt = call.append_ending(&mut |ending| tell(&ended, ending));
    let returned = match ended {
        Ok(()) => unreachable!("made as an error above"),
        Err(error) => Err(error),
    };
    (returned, receipt)
}

/// The rungs of the ladder for what is written `impl Stream`: in a box of its own already, bare, inside a `Result`.
pub trait HasOpaqueKind {
    /// The tag.
    type Tag;
    /// Returns the tag.
    fn opaque(&self) -> Self::Tag;
}

impl<S: Stream> HasOpaqueKind for &&Kind<Pin<Box<S>>> {
    type Tag = OpaqueBoxed;

    fn opaque(&self) -> OpaqueBoxed {
        OpaqueBoxed
    }
}

impl<S: Stream, E> HasOpaqueKind for &&Kind<Result<Pin<Box<S>>, E>> {
    type Tag = OpaqueBoxedResult;

    fn opaque(&self) -> OpaqueBoxedResult {
        OpaqueBoxedResult
    }
}

impl<S: Stream> HasOpaqueKind for &Kind<S> {
    type Tag = OpaqueStream;

    fn opaque(&self) -> OpaqueStream {
        OpaqueStream
    }
}

/// No `Result` is a stream, which the compiler does not know: this rung is one of its own.
impl<S: Stream, E> HasOpaqueKind for Kind<Result<S, E>> {
    type Tag = OpaqueResult;

    fn opaque(&self) -> OpaqueResult {
        OpaqueResult
    }
}

/// `impl Stream`.
#[derive(Clone, Copy, Debug)]
pub struct OpaqueStream;

/// `Result<impl Stream, E>`.
#[derive(Clone, Copy, Debug)]
pub struct OpaqueResult;

/// `Pin<Box<impl Stream>>`.
#[derive(Clone, Copy, Debug)]
pub struct OpaqueBoxed;

/// `Result<Pin<Box<impl Stream>>, E>`.
#[derive(Clone, Copy, Debug)]
pub struct OpaqueBoxedResult;

impl OpaqueBoxed {
    /// Puts the call into the stream.
    #[expect(clippy::type_complexity, reason = "the type that users return")]
    pub fn settle<S: Stream>(
        self,
        call: Call,
        returned: Pin<Box<S>>,
        _: fn(&(), &mut Ending<'_>),
        item: fn(&S::Item, &mut Items),
    ) -> (Pin<Box<Counted<Pin<Box<S>>>>>, Option<Receipt>) {
        (Box::pin(Counted::new(call, returned, item)), None)
    }
}

impl OpaqueBoxedResult {
    /// Puts the call into the stream, or ends it with the error.
    #[expect(clippy::type_complexity, reason = "the type that users return")]
    pub fn settle<S: Stream, E>(
        self,
        call: Call,
        returned: Result<Pin<Box<S>>, E>,
        tell: fn(&Result<(), E>, &mut Ending<'_>),
        item: fn(&S::Item, &mut Items),
    ) -> (Result<Pin<Box<Counted<Pin<Box<S>>>>>, E>, Option<Receipt>) {
        match returned {
            Ok(stream) => (Ok(Box::pin(Counted::new(call, stream, item))), None),
            Err(error) => failed(call, error, tell),
        }
    }
}

impl OpaqueStream {
    /// Puts the call into the stream.
    pub fn settle<S: Stream>(
        self,
        call: Call,
        returned: S,
        _: fn(&(), &mut Ending<'_>),
        item: fn(&S::Item, &mut Items),
    ) -> (Counted<S>, Option<Receipt>) {
        (Counted::new(call, returned, item), None)
    }
}

impl OpaqueResult {
    /// Puts the call into the stream, or ends it with the error.
    pub fn settle<S: Stream, E>(
        self,
        call: Call,
        returned: Result<S, E>,
        tell: fn(&Result<(), E>, &mut Ending<'_>),
        item: fn(&S::Item, &mut Items),
    ) -> (Result<Counted<S>, E>, Option<Receipt>) {
        match returned {
            Ok(stream) => (Ok(Counted::new(call, stream, item)), None),
            Err(error) => failed(call, error, tell),
        }
    }
}
