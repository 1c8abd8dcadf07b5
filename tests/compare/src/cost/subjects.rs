//! What is measured: one function, many times over, under each attribute.

use core::fmt::Write as _;

/// How many functions a measured crate has.
pub(crate) const FUNCTIONS: u32 = 300;

/// Whether the functions are `async`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `fn`.
    Sync,
    /// `async fn`.
    Async,
}

/// All kinds.
pub(crate) const KINDS: [Kind; 2] = [Kind::Sync, Kind::Async];

impl Kind {
    /// The kind's name in documents.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
        }
    }
}

/// An attribute as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Subject {
    /// What documents call it.
    pub(crate) name: &'static str,
    /// The line above the function.
    pub(crate) attribute: &'static str,
}

/// No attribute.
pub(crate) const BARE: Subject = Subject { name: "bare", attribute: "" };
/// This project's: arguments and result are recorded.
pub(crate) const AUDITED: Subject =
    Subject { name: "audited", attribute: "#[audited::audited(action = \"order.note\")]" };
/// This project's, with the body of an async function in a box of its own.
pub(crate) const AUDITED_BOXED: Subject =
    Subject { name: "audited(boxed)", attribute: "#[audited::audited(action = \"order.note\", boxed)]" };
/// A span with a name.
pub(crate) const FASTRACE: Subject = Subject { name: "fastrace::trace", attribute: "#[fastrace::trace]" };
/// A span with the arguments.
pub(crate) const FASTRACE_ARGUMENTS: Subject = Subject {
    name: "fastrace::trace(properties)",
    attribute: "#[fastrace::trace(properties = { \"number\": \"{number:?}\", \"name\": \"{name:?}\", \"order\": \"{order:?}\" })]",
};
/// A span with the arguments.
pub(crate) const INSTRUMENT: Subject = Subject { name: "instrument", attribute: "#[tracing::instrument]" };
/// A span with the arguments, and events with the result and the error.
pub(crate) const INSTRUMENT_RESULT: Subject =
    Subject { name: "instrument(ret, err)", attribute: "#[tracing::instrument(ret, err)]" };

/// The subjects whose futures are measured.
pub(crate) const FUTURES: [Subject; 7] =
    [BARE, AUDITED, AUDITED_BOXED, FASTRACE, FASTRACE_ARGUMENTS, INSTRUMENT, INSTRUMENT_RESULT];

/// All subjects.
pub(crate) const SUBJECTS: [Subject; 6] = [BARE, AUDITED, FASTRACE, FASTRACE_ARGUMENTS, INSTRUMENT, INSTRUMENT_RESULT];

/// The libraries that the generated files name.
pub(crate) const LIBRARIES: [&str; 5] = ["audited", "fastrace", "probe_common", "tracing", "tokio"];

/// Writes the crate with [`FUNCTIONS`] functions.
pub(crate) fn source(kind: Kind, subject: Subject) -> String {
    let mut source = String::from("use probe_common::{Failure, Order};\n");
    for index in 0..FUNCTIONS {
        source.push_str(&function(kind, subject, index));
    }
    if kind == Kind::Async {
        // The body of an async function is only compiled where something polls it.
        source.push_str("pub type Boxed = std::pin::Pin<Box<dyn Future<Output = Result<u32, Failure>>>>;\n");
        source.push_str("pub fn all() -> Vec<Boxed> {\n    vec![\n");
        for index in 0..FUNCTIONS {
            let _infallible =
                writeln!(source, "        Box::pin(note_{index}({index}, \"name\", Order::new(1, \"\"))),");
        }
        source.push_str("    ]\n}\n");
    }
    source
}

fn function(kind: Kind, Subject { attribute, .. }: Subject, index: u32) -> String {
    let (asyncness, pause) = match kind {
        Kind::Sync => ("", ""),
        Kind::Async => ("async ", "    probe_common::pause().await;\n"),
    };
    format!(
        "
{attribute}
pub {asyncness}fn note_{index}(number: u32, name: &str, order: Order) -> Result<u32, Failure> {{
    if name.is_empty() {{
        return Err(Failure::Empty);
    }}
{pause}    let length = name.len() + order.name.len();
    if length > {limit} {{
        return Err(Failure::TooLong(length));
    }}
    Ok(number.wrapping_mul({factor}).wrapping_add(order.id))
}}
",
        limit = index + 10,
        factor = index + 3,
    )
}

/// Writes a program that prints the size of the future of one function.
pub(crate) fn future_size(subject: Subject) -> String {
    let function = function(Kind::Async, subject, 0);
    format!(
        "use probe_common::{{Failure, Order}};
{function}
fn main() {{
    println!(\"{{}}\", std::mem::size_of_val(&note_0(1, \"name\", Order::new(1, \"\"))));
}}
"
    )
}

/// How the outermost of nested async functions is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outermost {
    /// Awaited in place.
    Awaited,
    /// On a task of tokio that may change its thread: the compiler proves that all of it is `Send`.
    Spawned,
}

/// Writes a program in which async functions call each other.
pub(crate) fn nested(subject: Subject, outermost: Outermost, depth: u32) -> String {
    let mut source = String::from("use probe_common::{Failure, Order};\n");
    for level in 1..depth {
        let _infallible = write!(
            source,
            "
{}
async fn level_{level}(number: u32, name: &str, order: Order) -> Result<u32, Failure> {{
    level_{}(number + 1, name, order).await
}}
",
            subject.attribute,
            level + 1
        );
    }
    let innermost = function(Kind::Async, subject, 0).replace("note_0", &format!("level_{depth}"));
    source.push_str(&innermost);
    let run = match outermost {
        Outermost::Awaited => "runtime.block_on(future)",
        Outermost::Spawned => "runtime.block_on(runtime.spawn(future)).unwrap()",
    };
    let _infallible = write!(
        source,
        "
fn main() {{
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let future = level_1(1, \"name\", Order::new(1, \"\"));
    assert!({run}.is_ok());
}}
",
    );
    source
}
