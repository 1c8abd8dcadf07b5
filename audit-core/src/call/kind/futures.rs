//! Boxed futures: boxed once more, with the call inside.

use core::pin::Pin;

use super::{BoxedFuture, BoxedFutureSend, BoxedFutureSync, HasKind, Kind, UnpinFuture, UnpinFutureSend};
use crate::call::guard::{End, Guarded, Late, Settling, refused};
use crate::call::{Begin, Call, Ending, Items};
use crate::sink::Receipt;
use crate::unavailable::Unavailable;

/// Implemented by nothing: the bound whose error says what is wrong with a closure that uses variables.
#[diagnostic::on_unimplemented(
    message = "the closure of `on_unavailable` uses variables of a function that returns a future",
    label = "such a call may be refused after the body has taken them",
    note = "make the function `async`, or write a closure that uses nothing but the `Unavailable`"
)]
pub trait WithoutVariables {}

macro_rules! futures {
    ($($tag:ident: [$($pointer:tt)+] [$($bounds:tt)*] $new:expr;)+) => {$(
        impl<'a, T> HasKind for &&&&&Kind<futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a)> {
            type Tag = $tag;

            fn kind(&self) -> $tag {
                $tag
            }
        }

        impl $tag {
            /// Leaves the waiting to the future, for the policy that counts.
            pub fn call(self, begun: Begin) -> Call {
                begun.call_now()
            }

            /// Leaves the waiting to the future, for the policy that panics.
            #[track_caller]
            pub fn call_or_panic(self, begun: Begin) -> Call {
                begun.call_now()
            }

            /// Leaves the waiting to the future, for policies that refuse the call.
            ///
            /// # Errors
            /// The call cannot be recorded and must not run.
            pub fn checked(self, begun: Begin) -> Result<Call, Unavailable> {
                begun.checked_now()
            }

            /// Makes a future that resolves to the refusal.
            pub fn refuse<'a, T: 'a>(
                self,
                unavailable: Unavailable,
                refuse: fn(Unavailable) -> T,
            ) -> futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a) {
                type Never<'a, T> = futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a);
                $new(refused::<Never<'a, T>>(unavailable, refuse))
            }

            /// Cannot be done.
            pub fn refuse_at_once<'a, T: WithoutVariables + 'a>(
                self,
                _: Unavailable,
                _: impl FnOnce(Unavailable) -> T,
            ) -> futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a) {
                $new(core::future::pending())
            }

            /// Puts the call into the future.
            pub fn deliver<'a, T: 'a>(
                self,
                call: Call,
                returned: futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a),
                settling: Settling<T>,
                late: Late<T>,
            ) -> futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a) {
                $new(Guarded::new(call, returned, End::Settling(settling), late))
            }

            /// Cannot be done.
            pub fn deliver_at_once<R>(self, _: Call, returned: R, _: fn(Call, (), bool)) -> R {
                returned
            }

            /// Puts the call into a future that an outer one resolved to, or that a block is.
            pub fn settle<'a, T: 'a>(
                self,
                call: Call,
                returned: futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a),
                tell: fn(&T, &mut Ending<'_>),
                _: fn(&(), &mut Items),
            ) -> (futures!(@ [$($pointer)+] dyn Future<Output = T> $($bounds)* + 'a), Option<Receipt>) {
                ($new(Guarded::new(call, returned, End::Telling(tell), None)), None)
            }
        }
    )+};
    (@ [Pin Box] $($object:tt)+) => { Pin<Box<$($object)+>> };
    (@ [Box] $($object:tt)+) => { Box<$($object)+> };
}

futures! {
    BoxedFuture: [Pin Box] [] Box::pin;
    BoxedFutureSend: [Pin Box] [+ Send] Box::pin;
    BoxedFutureSync: [Pin Box] [+ Send + Sync] Box::pin;
    UnpinFuture: [Box] [+ Unpin] Box::new;
    UnpinFutureSend: [Box] [+ Unpin + Send] Box::new;
}
