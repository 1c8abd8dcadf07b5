//! What the expansion of `#[audited]` names. Not part of the public interface: it changes with the attribute.

mod census;
mod ending;

use core::pin::Pin;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use serde::Serialize;
pub use tracing;

pub use crate::call::*;
pub use crate::capture::{Capture, Captured, Probe, Shown};
pub use crate::outcome::*;
pub use crate::privacy::types::{Act, Member, MemberRule, TypeRules};
pub use crate::privacy::{Method, Subject};
pub use crate::redact::{Path, Root, Segment};
pub use crate::unavailable::{Deny, Unavailable};
pub use crate::vocabulary::{Durability, Effect, Level, Stages, Telemetry};
pub use crate::{__arguments as arguments, __field as field, __moves as moves, __target as target};
pub use census::*;
pub use ending::*;

/// A type of whose members `#[derive(Capture)]` says something.
pub trait Described: Serialize {}

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

/// Boxes the body of an `async` function, so that its future stays small and its nesting shallow.
pub fn boxed<'a, T>(body: impl Future<Output = T> + Send + 'a) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(body)
}

/// Boxes a body that stays on its thread.
pub fn boxed_local<'a, T>(body: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(body)
}

/// Gives a block of `call!` the type that its surroundings expect; never called.
pub fn never_as<R>(_: &Kind<R>) -> R {
    unreachable!("only there for its type")
}

/// Gives the body of the block that type, too, before anything is asked of it.
pub fn typed<R>(_: &Kind<R>, value: R) -> R {
    value
}

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
        let _ = &$parameter;
    )*};
}

/// Makes the list of the arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __arguments {
    ($($(#[$condition:meta])* $value:ident)*) => {{
        use $crate::__private::Capture as _;
        [$($(#[$condition])* (&&&&$crate::__private::Probe(&$value)).captured(),)*]
    }};
}

/// Notes one target. A panic of the user's expression is not one of the function's.
#[doc(hidden)]
#[macro_export]
macro_rules! __target {
    ($arguments:ident, $kind:expr, $id:expr) => {{
        use $crate::__private::{Capture as _, Shown as _};
        let __panicked = $crate::__private::panics(|| match &$id {
            __id => $arguments.target(
                $kind,
                (&&$crate::__private::Probe(__id)).shown(),
                (&&&&$crate::__private::Probe(__id)).captured(),
            ),
        });
        if __panicked {
            $arguments.target_unavailable($kind);
        }
    }};
}

/// Captures one of the attribute's fields. A panic of the user's expression is not one of the function's.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($arguments:ident, $name:expr, $value:expr) => {{
        use $crate::__private::Capture as _;
        let __panicked = $crate::__private::panics(|| match &$value {
            __value => $arguments.field($name, (&&&&$crate::__private::Probe(__value)).captured()),
        });
        if __panicked {
            $arguments.field_unavailable($name);
        }
    }};
}
