//! A stand-in for the runtime that expansions name: it notes what it is asked to do.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a stand-in, of which each test uses a part"
)]
#![allow(clippy::pedantic, clippy::nursery, reason = "what counts is the code of the expansions")]

/// Returns what was noted since the last call, and forgets it.
pub fn notes() -> Vec<String> {
    __private::NOTES.take()
}

/// Lets the next calls of this thread fail to be recorded.
pub fn unavailable(value: bool) {
    __private::UNAVAILABLE.set(value);
}

pub use __private::Unavailable;

mod kind;

pub mod __private {
    use std::cell::{Cell, RefCell};
    use std::fmt;
    use std::future::Future;
    use std::pin::Pin;

    pub use super::kind::{
        Boxed, BoxedFuture, Kind, Plain, PlainValue, guarded, never_as, refused, resolving, typed, yielding,
    };

    thread_local! {
        pub static NOTES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
        pub static UNAVAILABLE: Cell<bool> = const { Cell::new(false) };
        pub static CENSUS: Cell<&'static str> = const { Cell::new("") };
    }

    pub fn note(text: String) {
        NOTES.with_borrow_mut(|notes| notes.push(text));
    }

    #[derive(Debug)]
    pub struct Site {
        pub action: &'static str,
        pub tool: &'static str,
        pub effect: Effect,
        pub level: Level,
        pub telemetry: Telemetry,
        pub stages: Stages,
        pub durability: Option<Durability>,
        pub append_timeout: Option<std::time::Duration>,
        pub on_unavailable: OnUnavailable,
        pub parameters: &'static [&'static str],
        pub fields: &'static [&'static str],
        pub redact: &'static [Path],
        pub summary: &'static [Path],
        pub census: &'static str,
    }

    /// Why a function is not audited.
    #[derive(Debug)]
    pub struct Exemption {
        pub tool: &'static str,
        pub reason: &'static str,
        pub census: &'static str,
    }

    pub const fn check_action(action: &str) {
        assert!(!action.is_empty(), "an action is not empty");
    }

    pub const fn check_tool(tool: &str) {
        assert!(!tool.is_empty(), "a tool name is not empty");
    }

    #[derive(Debug)]
    pub enum Effect {
        Read,
        Write,
        Destructive,
    }
    #[derive(Debug)]
    pub enum Level {
        Metadata,
        Request,
        RequestResponse,
    }
    #[derive(Debug)]
    pub enum Telemetry {
        Names,
        RedactedArguments,
        Arguments,
    }
    #[derive(Debug)]
    pub enum Stages {
        StartedCompleted,
        Completed,
    }
    #[derive(Debug)]
    pub enum Durability {
        Os,
        Disk,
    }
    #[derive(Debug, PartialEq)]
    pub enum OnUnavailable {
        Return,
        Count,
        Panic,
    }

    #[derive(Debug)]
    pub enum Method {
        Drop,
    }

    #[derive(Debug)]
    pub struct Path {
        pub text: &'static str,
        pub root: Root,
        pub segments: &'static [Segment],
        pub method: Method,
    }
    #[derive(Debug)]
    pub enum Root {
        Parameter(usize),
        Return,
        Error,
    }
    #[derive(Debug)]
    pub enum Segment {
        Key { name: &'static str, optional: bool },
        Any,
        Each,
    }

    pub struct Arguments {
        site: &'static Site,
        captured: Vec<String>,
    }

    impl Arguments {
        fn take(&mut self, arguments: &[String], places: &[Place]) {
            for (index, value) in arguments.iter().enumerate() {
                self.captured.push(match places.get(index).copied().unwrap_or(Place::Taken(index)) {
                    Place::Taken(index) => format!("{}={value}", self.site.parameters[index]),
                    Place::Skipped(index) => format!("{} skipped", self.site.fields[index]),
                });
            }
        }

        pub fn field(&mut self, name: &str, value: &str) {
            self.captured.push(format!("+{name}={value}"));
        }

        pub fn target(&mut self, kind: &str, id: &dyn fmt::Display) {
            self.captured.push(format!("{kind}:{id}"));
        }
    }

    /// Writes a value by `Debug` where it has that, else as its type, as the real ladder does.
    pub struct Wrap<'a, T>(pub &'a T);
    pub trait ByDebug {
        fn text(&self) -> String;
    }
    impl<T: fmt::Debug> ByDebug for Wrap<'_, T> {
        fn text(&self) -> String {
            format!("{:?}", self.0)
        }
    }
    pub trait ByType {
        fn text(&self) -> String;
    }
    impl<T> ByType for &Wrap<'_, T> {
        fn text(&self) -> String {
            "?".to_owned()
        }
    }

    macro_rules! arguments {
        ($($(#[$condition:meta])* $value:ident)*) => {{
            #[allow(unused_imports, reason = "one rung of the ladder is used")]
            use $crate::mock::__private::{ByDebug as _, ByType as _};
            [$($(#[$condition])* (&$crate::mock::__private::Wrap(&$value)).text(),)*]
        }};
    }
    macro_rules! moves {
        ($($(#[$condition:meta])* $parameter:ident)*) => {
            $(
                $(#[$condition])*
                #[allow(clippy::used_underscore_binding, reason = "the body may leave it unused")]
                $crate::mock::__private::moved(&$parameter);
            )*
        };
    }
    macro_rules! target {
        ($arguments:ident, $kind:expr, $id:expr) => {
            $arguments.target($kind, &$id)
        };
    }
    macro_rules! field {
        ($arguments:ident, $name:expr, $value:expr) => {{
            #[allow(unused_imports, reason = "one rung of the ladder is used")]
            use $crate::mock::__private::{ByDebug as _, ByType as _};
            match &$value {
                value => $arguments.field($name, &(&$crate::mock::__private::Wrap(value)).text()),
            }
        }};
    }
    macro_rules! ending {
        ($returned:ident $(; outcome = ($outcome:expr))? $(; result = ($result:expr))?) => {{
            #[allow(unused_imports, reason = "one rung of the ladder is used")]
            use $crate::mock::__private::{ByDebug as _, ByType as _};
            #[allow(unused_mut, reason = "nothing may be added")]
            let mut text = (&$crate::mock::__private::Wrap(&$returned)).text();
            $(text.push_str(&format!(" outcome {:?}", $crate::mock::__private::apply(&$returned, $outcome)));)?
            $(text.push_str(&format!(" result {:?}", $crate::mock::__private::apply(&$returned, $result)));)?
            text
        }};
    }
    macro_rules! finish {
        ($call:ident, $returned:ident $($overrides:tt)*) => {
            $call.finish($crate::mock::__private::ending!($returned $($overrides)*))
        };
    }
    macro_rules! finish_async {
        ($call:ident, $returned:ident $($overrides:tt)*) => {
            $call.finish_async($crate::mock::__private::ending!($returned $($overrides)*))
        };
    }
    macro_rules! finish_durable {
        ($call:ident, $returned:ident $($overrides:tt)*) => {{
            let receipt = $call.append_ending($crate::mock::__private::ending!($returned $($overrides)*));
            receipt.await;
        }};
    }
    macro_rules! settle {
        ($call:ident, $returned:ident $($overrides:tt)*) => {{
            $call.finish($crate::mock::__private::ending!($returned $($overrides)*));
            $returned
        }};
    }
    macro_rules! settle_async {
        ($call:ident, $returned:ident $($overrides:tt)*) => {{
            let mut call = $call;
            call.finish_async($crate::mock::__private::ending!($returned $($overrides)*));
            $returned
        }};
    }
    macro_rules! settle_durable {
        ($call:ident, $returned:ident $($overrides:tt)*) => {{
            let mut call = $call;
            $crate::mock::__private::finish_durable!(call, $returned $($overrides)*);
            $returned
        }};
    }
    macro_rules! settle_opaque {
        ($call:ident, $returned:ident $($overrides:tt)*) => {{
            $call.finish("opaque".to_owned());
            $returned
        }};
    }
    macro_rules! settling {
        ($($overrides:tt)*) => {
            |output| {
                let text = $crate::mock::__private::ending!(output $($overrides)*);
                (output, text)
            }
        };
    }
    macro_rules! kind {
        ($returned:ty) => {{
            #[allow(unused_imports, reason = "one rung of the ladder is used")]
            use $crate::mock::__private::{BoxedFuture as _, PlainValue as _};
            (&$crate::mock::__private::Kind::<$returned>::OF).kind()
        }};
    }
    macro_rules! census {
        ($action:expr, $tool:expr, $effect:expr, $level:expr, $redact:expr, $skip:expr $(, $line:expr)?) => {
            ::core::concat!($action, " ", $tool, " ", $effect, " ", $redact $(, " ", $line)?)
        };
    }
    macro_rules! census_of {
        ($action:expr, $tool:expr, $effect:expr, $level:expr, $redact:expr, $skip:expr $(, $line:expr)?) => {
            $action
        };
    }
    macro_rules! census_exempt {
        ($tool:expr, $reason:expr $(, $line:expr)?) => {
            ::core::concat!($tool, ": ", $reason)
        };
    }
    pub(crate) use {
        arguments, census, census_exempt, census_of, ending, field, finish, finish_async, finish_durable, kind, moves,
        settle, settle_async, settle_durable, settle_opaque, settling, target,
    };

    pub fn apply<'a, T: ?Sized, R>(value: &'a T, closure: impl FnOnce(&'a T) -> R) -> R {
        closure(value)
    }

    pub fn boxed<'a, T>(body: impl Future<Output = T> + Send + 'a) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
        note("boxed".to_owned());
        Box::pin(body)
    }

    pub fn boxed_local<'a, T>(body: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
        note("boxed_local".to_owned());
        Box::pin(body)
    }

    pub struct Begun(&'static Site);

    #[derive(Clone, Copy)]
    pub enum Place {
        Taken(usize),
        Skipped(usize),
    }

    pub struct Given<'a> {
        pub arguments: &'a [String],
        pub places: &'static [Place],
        pub also: Option<&'a mut dyn FnMut(&mut Arguments)>,
    }

    pub fn call(site: &'static Site, given: Given<'_>) -> Call {
        begin(site, given).call()
    }

    pub fn checked(site: &'static Site, given: Given<'_>) -> Result<Call, Unavailable> {
        begin(site, given).checked()
    }

    pub fn call_now(site: &'static Site, given: Given<'_>) -> Call {
        begin(site, given).call()
    }

    pub fn call_or_panic(site: &'static Site, given: Given<'_>) -> Call {
        begin(site, given).call()
    }

    pub fn call_now_or_panic(site: &'static Site, given: Given<'_>) -> Call {
        begin(site, given).call()
    }

    pub fn checked_now(site: &'static Site, given: Given<'_>) -> Result<Call, Unavailable> {
        begin(site, given).checked()
    }

    pub fn begin(site: &'static Site, given: Given<'_>) -> Begun {
        let mut arguments = Arguments { site, captured: Vec::new() };
        arguments.take(given.arguments, given.places);
        if let Some(also) = given.also {
            also(&mut arguments);
        }
        CENSUS.set(site.census);
        note(format!("begin {}({})", site.action, arguments.captured.join(", ")));
        Begun(site)
    }

    impl Begun {
        pub fn call(self) -> Call {
            assert_ne!(self.0.on_unavailable, OnUnavailable::Return);
            Call
        }

        pub fn checked(self) -> Result<Call, Unavailable> {
            assert_eq!(self.0.on_unavailable, OnUnavailable::Return);
            if UNAVAILABLE.get() { Err(Unavailable) } else { Ok(Call) }
        }

        pub async fn checked_ready(self) -> Result<Call, Unavailable> {
            std::future::ready(()).await;
            self.checked()
        }
    }

    pub struct Call;

    impl Call {
        pub fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
            note("run".to_owned());
            body()
        }

        pub async fn driven<F: Future, O>(mut self, body: F, mut end: impl FnMut(&mut Self, F::Output) -> O) -> O {
            std::future::ready(()).await;
            note("drive".to_owned());
            let returned = body.await;
            end(&mut self, returned)
        }

        pub fn finish(&mut self, returned: String) {
            note(format!("finish {returned}"));
        }

        pub fn finish_async(&mut self, returned: String) {
            note(format!("finish_async {returned}"));
        }

        pub fn append_ending(&mut self, returned: String) -> std::future::Ready<()> {
            note(format!("finish_durable {returned}"));
            std::future::ready(())
        }
    }

    pub async fn driven_checked<F: Future, O>(
        call: Result<Call, Unavailable>,
        body: F,
        end: impl FnMut(&mut Call, F::Output) -> O,
    ) -> Result<O, Unavailable> {
        Ok(call?.driven(body, end).await)
    }

    pub fn apart<R>(_: &mut Call, returned: R) -> (Call, R) {
        (Call, returned)
    }

    #[derive(Debug)]
    pub struct Unavailable;

    #[diagnostic::on_unimplemented(message = "`{Self}` cannot say that the call was denied")]
    pub trait Deny {
        fn deny(unavailable: Unavailable) -> Self;
    }
    impl<T, E: From<Unavailable>> Deny for Result<T, E> {
        fn deny(unavailable: Unavailable) -> Self {
            Err(unavailable.into())
        }
    }

    pub fn deny<R: Deny>(unavailable: Unavailable) -> R {
        R::deny(unavailable)
    }

    pub fn unavailable_with<R>(policy: impl FnOnce(Unavailable) -> R, unavailable: Unavailable) -> R {
        policy(unavailable)
    }

    pub const fn moved<T: ?Sized>(_: &T) {}

    pub fn never<R>() -> R {
        unreachable!("the hint is never run")
    }
}
