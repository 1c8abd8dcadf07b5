//! What the expansion of `#[audited]` names. Not part of the public interface: it changes with the attribute.

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use tracing;

pub use crate::call::{Arguments, Begin, Call, CheckedReady, Drive, OnUnavailable, Ready, Site, begin, settled};
pub use crate::capture::{
    CaptureBoth, CaptureDebug, CaptureSerialize, CaptureType, Captured, Probe, ShownDisplay, ShownNot,
};
pub use crate::outcome::{
    Ending, ErrorFacts, FactsBoth, FactsDebug, FactsDisplay, FactsType, Returned, ReturnedResult, ReturnedValue,
};
pub use crate::redact::{Path, Root, Segment};
pub use crate::unavailable::{Deny, Unavailable};
pub use crate::vocabulary::{Durability, Effect, Level, Stages};
pub use crate::{
    __argument as argument, __finish as finish, __finish_async as finish_async, __finish_durable as finish_durable,
    __moves as moves, __skipped as skipped, __target as target,
};

/// Refuses a call through its return type.
pub fn deny<R: Deny>(unavailable: Unavailable) -> R {
    R::deny(unavailable)
}

/// Refuses a call with the value that its attribute names.
pub fn unavailable_with<R>(policy: impl FnOnce(Unavailable) -> R, unavailable: Unavailable) -> R {
    policy(unavailable)
}

/// Runs code and tells whether it panicked.
pub fn panics(code: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(code)).is_err()
}

/// Mentions a parameter.
pub const fn moved<T: ?Sized>(_: &T) {}

/// Gives an expression its type; never called.
pub fn never<R>() -> R {
    unreachable!("only there for its type")
}

/// Moves parameters into the body's closure, whole, in the order in which the function would drop them.
#[doc(hidden)]
#[macro_export]
macro_rules! __moves {
    ($($(#[$condition:meta])* $parameter:ident)*) => {$(
        $(#[$condition])*
        #[allow(clippy::used_underscore_binding, reason = "the body may leave it unused")]
        $crate::__private::moved(&$parameter);
    )*};
}

/// Captures one argument.
#[doc(hidden)]
#[macro_export]
macro_rules! __argument {
    ($arguments:ident, $index:expr, $value:expr) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{CaptureBoth as _, CaptureDebug as _, CaptureSerialize as _, CaptureType as _};
        $arguments.argument($index, (&&&&$crate::__private::Probe(&$value)).captured());
    }};
}

/// Leaves one argument out.
#[doc(hidden)]
#[macro_export]
macro_rules! __skipped {
    ($arguments:ident, $index:expr, $value:expr) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{CaptureBoth as _, CaptureDebug as _, CaptureSerialize as _, CaptureType as _};
        $arguments.skipped($index, (&&&&$crate::__private::Probe(&$value)).captured());
    }};
}

/// Notes one target. A panic of the user's expression is not one of the function's.
#[doc(hidden)]
#[macro_export]
macro_rules! __target {
    ($arguments:ident, $kind:expr, $id:expr) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{
            CaptureBoth as _, CaptureDebug as _, CaptureSerialize as _, CaptureType as _, ShownDisplay as _,
            ShownNot as _,
        };
        let panicked = $crate::__private::panics(|| match &$id {
            id => $arguments.target(
                $kind,
                (&&$crate::__private::Probe(id)).shown(),
                (&&&&$crate::__private::Probe(id)).captured(),
            ),
        });
        if panicked {
            $arguments.target_unavailable($kind);
        }
    }};
}

/// Tells how a call ended from what its body returned.
#[doc(hidden)]
#[macro_export]
macro_rules! __ending {
    ($returned:ident) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{
            CaptureBoth as _, CaptureDebug as _, CaptureSerialize as _, CaptureType as _, FactsBoth as _,
            FactsDebug as _, FactsDisplay as _, FactsType as _, ReturnedResult as _, ReturnedValue as _,
        };
        match (&&$crate::__private::Probe(&$returned)).returned() {
            $crate::__private::Returned::Value(value) => {
                $crate::__private::Ending::Value((&&&&$crate::__private::Probe(value)).captured())
            }
            $crate::__private::Returned::Error(error) => {
                $crate::__private::Ending::Error((&&&&$crate::__private::Probe(error)).facts())
            }
        }
    }};
}

/// Records the end of a call, and waits where its durability demands it.
#[doc(hidden)]
#[macro_export]
macro_rules! __finish {
    ($call:ident, $returned:ident) => {
        $call.finish($crate::__ending!($returned))
    };
}

/// Records the end of an async call without waiting.
#[doc(hidden)]
#[macro_export]
macro_rules! __finish_async {
    ($call:ident, $returned:ident) => {
        $call.finish_async($crate::__ending!($returned))
    };
}

/// Records the end of an async call and awaits it.
#[doc(hidden)]
#[macro_export]
macro_rules! __finish_durable {
    ($call:ident, $returned:ident) => {{
        let receipt = $call.append_ending($crate::__ending!($returned));
        $crate::__private::settled(receipt).await;
    }};
}
