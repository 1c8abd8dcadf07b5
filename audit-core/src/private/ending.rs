//! The end of a call, where its types are known: how it is told, and by whom it is waited for.
//!
//! Each macro takes, after the value, what the attribute says better: `; outcome = (|returned| …) ; result = (|value| …)`.

use futures_core::Stream;

use crate::outcome::Conclusion;

pub use crate::{
    __finish as finish, __finish_async as finish_async, __finish_durable as finish_durable, __kind as kind,
    __settle as settle, __settle_async as settle_async, __settle_durable as settle_durable,
    __settle_opaque as settle_opaque, __settle_opaque_async as settle_opaque_async, __settling as settling,
};

/// Calls a closure of the attribute; it gives the closure's parameter its type.
pub fn apply<'a, T: ?Sized, R>(value: &'a T, closure: impl FnOnce(&'a T) -> R) -> R {
    closure(value)
}

/// Takes what the closure of `outcome` returned.
pub fn conclusion(stated: impl Concludes) -> Conclusion {
    stated.conclude()
}

/// What the closure of `outcome` may return.
#[diagnostic::on_unimplemented(
    message = "the closure of `outcome` does not say how the call ended",
    label = "expected a `bool`, an `audited::Status` or an `audited::Conclusion`, found `{Self}`"
)]
pub trait Concludes {
    /// Says how the call ended.
    fn conclude(self) -> Conclusion;
}

// Without this the compiler would tell of `Into` and its many implementations.
#[diagnostic::do_not_recommend]
impl<T: Into<Conclusion>> Concludes for T {
    fn conclude(self) -> Conclusion {
        self.into()
    }
}

/// Says what a future resolves to, where the function's return type states it and the body leaves it to be inferred.
pub const fn resolving<T, F: Future<Output = T>>(future: F) -> F {
    future
}

/// Says what a stream yields.
pub const fn yielding<T, S: Stream<Item = T>>(stream: S) -> S {
    stream
}

/// Says what the stream inside a `Result` yields.
pub const fn yielding_result<T, S: Stream<Item = T>, E>(stream: Result<S, E>) -> Result<S, E> {
    stream
}

/// Picks the tag of a type.
#[doc(hidden)]
#[macro_export]
macro_rules! __kind {
    ($returned:ty) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::HasKind as _;
        (&&&&&&$crate::__private::Kind::<$returned>::OF).kind()
    }};
}

/// Takes apart what a body returned, given a reference to it.
#[doc(hidden)]
#[macro_export]
macro_rules! __told {
    ($returned:expr) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{Apart as _, Capture as _, Facts as _, States as _};
        match (&&$crate::__private::Probe($returned)).returned() {
            $crate::__private::Returned::Value(__value) => $crate::__private::Told::Value(
                (&&$crate::__private::Probe(__value)).stated(),
                (&&&&$crate::__private::Probe(__value)).captured(),
            ),
            $crate::__private::Returned::Nothing => $crate::__private::Told::Nothing,
            $crate::__private::Returned::Error(__error) => $crate::__private::Told::Error(
                (&&$crate::__private::Probe(__error)).stated(),
                (&&&&&&&&$crate::__private::Probe(__error)).facts(),
                (&&&&$crate::__private::Probe(__error)).captured(),
            ),
        }
    }};
}

/// Tells how a call ended from a reference to what its body returned.
#[doc(hidden)]
#[macro_export]
macro_rules! __tell {
    ($ending:ident, $returned:expr $(; outcome = ($outcome:expr))? $(; result = ($result:expr))?) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{Apart as _, Capture as _, Facts as _, States as _};
        $(
            $ending.conclude(&mut || $crate::__private::conclusion($crate::__private::apply($returned, $outcome)));
        )?
        match (&&$crate::__private::Probe($returned)).returned() {
            $crate::__private::Returned::Value(__value) => {
                let __stated = (&&$crate::__private::Probe(__value)).stated();
                $crate::__tell_value!($ending, __stated, __value $(, $result)?);
            }
            $crate::__private::Returned::Nothing => $ending.nothing(),
            $crate::__private::Returned::Error(__error) => $ending.error(
                (&&$crate::__private::Probe(__error)).stated(),
                (&&&&&&&&$crate::__private::Probe(__error)).facts(),
                (&&&&$crate::__private::Probe(__error)).captured(),
            ),
        }
    }};
}

/// Tells a value of success, or what the attribute's closure puts in its place.
#[doc(hidden)]
#[macro_export]
macro_rules! __tell_value {
    ($ending:ident, $stated:ident, $value:ident) => {
        $ending.value($stated, (&&&&$crate::__private::Probe($value)).captured())
    };
    ($ending:ident, $stated:ident, $value:ident, $result:expr) => {
        $ending.mapped($stated, (&&&&$crate::__private::Probe($value)).captured(), &mut |__take| {
            match $crate::__private::apply($value, $result) {
                __mapped => __take((&&&&$crate::__private::Probe(&__mapped)).captured()),
            }
        })
    };
}

/// Counts an item of a stream.
#[doc(hidden)]
#[macro_export]
macro_rules! __item {
    ($items:ident, $item:ident) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{Apart as _, Facts as _};
        match (&&$crate::__private::Probe($item)).returned() {
            $crate::__private::Returned::Value(_) | $crate::__private::Returned::Nothing => $items.succeeded(),
            $crate::__private::Returned::Error(__error) => {
                $items.failed((&&&&&&&&$crate::__private::Probe(__error)).facts());
            }
        }
    }};
}

/// Records the end of a call whose value is a plain one, and waits where its durability demands it.
#[doc(hidden)]
#[macro_export]
macro_rules! __finish {
    ($call:ident, $returned:ident) => {
        $call.end($crate::__told!(&$returned))
    };
    ($call:ident, $returned:ident $($overrides:tt)+) => {
        $call.finish(&mut |__ending| $crate::__tell!(__ending, &$returned $($overrides)+))
    };
}

/// Records the end of an async call without waiting.
#[doc(hidden)]
#[macro_export]
macro_rules! __finish_async {
    ($call:ident, $returned:ident) => {
        $call.end_async($crate::__told!(&$returned))
    };
    ($call:ident, $returned:ident $($overrides:tt)+) => {
        $call.finish_async(&mut |__ending| $crate::__tell!(__ending, &$returned $($overrides)+))
    };
}

/// Records the end of an async call and awaits it.
#[doc(hidden)]
#[macro_export]
macro_rules! __finish_durable {
    ($call:ident, $returned:ident $($overrides:tt)*) => {{
        let __receipt = $call.append_ending(&mut |__ending| $crate::__tell!(__ending, &$returned $($overrides)*));
        $crate::__private::settled(__receipt).await;
    }};
}

/// Ends a call with a value of any kind; the method picks the rungs. Gives the value to return and a receipt.
#[doc(hidden)]
#[macro_export]
macro_rules! __settle_with {
    ($method:ident, $call:ident, $returned:ident $($overrides:tt)*) => {{
        #[allow(unused_imports, reason = "which rung is used depends on the type")]
        use $crate::__private::{HasKind as _, HasOpaqueKind as _};
        let __kind = (&&&&&&$crate::__private::Kind::of(&$returned)).$method();
        __kind.settle(
            $call,
            $returned,
            |__output, __ending| $crate::__tell!(__ending, __output $($overrides)*),
            |__item, __items| $crate::__item!(__items, __item),
        )
    }};
}

/// Ends a call with a value of any kind, and waits where its durability demands it.
#[doc(hidden)]
#[macro_export]
macro_rules! __settle {
    ($call:ident, $returned:ident $($overrides:tt)*) => {{
        let (__returned, __receipt) = $crate::__settle_with!(kind, $call, $returned $($overrides)*);
        $crate::__private::wait(__receipt);
        __returned
    }};
}

/// Ends an async call with a value of any kind, without waiting.
#[doc(hidden)]
#[macro_export]
macro_rules! __settle_async {
    ($call:ident, $returned:ident $($overrides:tt)*) => {{
        let (__returned, __receipt) = $crate::__settle_with!(kind, $call, $returned $($overrides)*);
        $crate::__private::note(__receipt);
        __returned
    }};
}

/// Ends an async call with a value of any kind, and awaits its record.
#[doc(hidden)]
#[macro_export]
macro_rules! __settle_durable {
    ($call:ident, $returned:ident $($overrides:tt)*) => {{
        let (__returned, __receipt) = $crate::__settle_with!(kind, $call, $returned $($overrides)*);
        $crate::__private::settled(__receipt).await;
        __returned
    }};
}

/// Ends a call with what is written `impl Stream`, and waits where its durability demands it.
#[doc(hidden)]
#[macro_export]
macro_rules! __settle_opaque {
    ($call:ident, $returned:ident $($overrides:tt)*) => {{
        let (__returned, __receipt) = $crate::__settle_with!(opaque, $call, $returned $($overrides)*);
        $crate::__private::wait(__receipt);
        __returned
    }};
}

/// Ends an async call with what is written `impl Stream`, without waiting.
#[doc(hidden)]
#[macro_export]
macro_rules! __settle_opaque_async {
    ($call:ident, $returned:ident $($overrides:tt)*) => {{
        let (__returned, __receipt) = $crate::__settle_with!(opaque, $call, $returned $($overrides)*);
        $crate::__private::note(__receipt);
        __returned
    }};
}

/// Makes the closure that ends a call with what its body, or the future that it returned, came to.
#[doc(hidden)]
#[macro_export]
macro_rules! __settling {
    ($($overrides:tt)*) => {
        |__call, __output, __wait| {
            let (__output, __receipt) = $crate::__settle_with!(kind, __call, __output $($overrides)*);
            if __wait {
                $crate::__private::wait(__receipt);
            } else {
                $crate::__private::note(__receipt);
            }
            __output
        }
    };
}
