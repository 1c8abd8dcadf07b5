//! A stand-in for the runtime that expansions name: it notes what it is asked to do.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    dead_code,
    reason = "a stand-in, seen by tests only"
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

pub mod __private {
    use std::cell::{Cell, RefCell};
    use std::fmt;
    use std::future::Future;

    thread_local! {
        pub static NOTES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
        pub static UNAVAILABLE: Cell<bool> = const { Cell::new(false) };
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
        pub stages: Stages,
        pub durability: Option<Durability>,
        pub on_unavailable: OnUnavailable,
        pub parameters: &'static [&'static str],
        pub fields: &'static [&'static str],
        pub redact: &'static [Path],
        pub module: &'static str,
        pub file: &'static str,
        pub line: u32,
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
    pub struct Path {
        pub text: &'static str,
        pub root: Root,
        pub segments: &'static [Segment],
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
        pub fn argument(&mut self, index: usize, value: &str) {
            self.captured.push(format!("{}={value}", self.site.parameters[index]));
        }

        pub fn skipped<T>(&mut self, index: usize, _: &T) {
            self.captured.push(format!("{} skipped", self.site.fields[index]));
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

    macro_rules! argument {
        ($arguments:ident, $index:expr, $value:ident) => {{
            #[allow(unused_imports, reason = "one rung of the ladder is used")]
            use $crate::mock::__private::{ByDebug as _, ByType as _};
            $arguments.argument($index, &(&$crate::mock::__private::Wrap(&$value)).text());
        }};
    }
    macro_rules! skipped {
        ($arguments:ident, $index:expr, $value:ident) => {
            $arguments.skipped($index, &$value)
        };
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
    macro_rules! ending {
        ($returned:ident) => {{
            #[allow(unused_imports, reason = "one rung of the ladder is used")]
            use $crate::mock::__private::{ByDebug as _, ByType as _};
            (&$crate::mock::__private::Wrap(&$returned)).text()
        }};
    }
    macro_rules! finish {
        ($call:ident, $returned:ident) => {
            $call.finish($crate::mock::__private::ending!($returned))
        };
    }
    macro_rules! finish_async {
        ($call:ident, $returned:ident) => {
            $call.finish_async($crate::mock::__private::ending!($returned))
        };
    }
    macro_rules! finish_durable {
        ($call:ident, $returned:ident) => {{
            let receipt = $call.append_ending($crate::mock::__private::ending!($returned));
            receipt.await;
        }};
    }
    pub(crate) use {argument, ending, finish, finish_async, finish_durable, moves, skipped, target};

    pub struct Begun(&'static Site);

    pub fn begin(site: &'static Site, capture: &mut dyn FnMut(&mut Arguments)) -> Begun {
        let mut arguments = Arguments { site, captured: Vec::new() };
        capture(&mut arguments);
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

        pub async fn ready(self) -> Call {
            std::future::ready(()).await;
            self.call()
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

        pub async fn drive<F: Future>(&mut self, body: F) -> F::Output {
            note("drive".to_owned());
            body.await
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
