//! Observes `#[fastrace::trace]` through a reporter.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;
pub use probe_common::*;
use serde_json::{Value, json};

/// The name that each attribute gives its span.
const SUBJECT: &str = "subject";
/// The name of the span that each body opens, to see what it is in.
const BODY: &str = "body";

#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<SpanRecord>>>);

impl Reporter for Spans {
    fn report(&mut self, mut spans: Vec<SpanRecord>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(&mut spans);
    }
}

/// Called by each body: it is inside if the span that it opens becomes a child of the subject's.
pub fn body() {
    let _span = LocalSpan::enter_with_local_parent(BODY);
    bodies::note(false);
}

/// The documented way to put a block into a span.
#[macro_export]
macro_rules! call_block {
    ($($block:tt)*) => {{
        let _span = $crate::__private::fastrace::local::LocalSpan::enter_with_local_parent("subject");
        $($block)*
    }};
}

#[doc(hidden)]
pub mod __private {
    pub use fastrace;
}

/// Runs a shape and tells what was seen of it.
pub fn observe(run: impl FnOnce()) -> Value {
    let spans = Spans::default();
    fastrace::set_reporter(spans.clone(), Config::default());
    {
        let root = Span::root("root", SpanContext::random());
        let _guard = root.set_local_parent();
        run();
    }
    fastrace::flush();
    let spans = spans.0.lock().unwrap_or_else(PoisonError::into_inner);
    let subjects: Vec<&SpanRecord> = spans.iter().filter(|span| span.name == SUBJECT).collect();
    let inside = spans
        .iter()
        .filter(|span| span.name == BODY && subjects.iter().any(|subject| subject.span_id == span.parent_id));
    let arguments: BTreeSet<&str> =
        subjects.iter().flat_map(|span| span.properties.iter()).map(|(key, _)| key.as_ref()).collect();
    json!({
        "calls": subjects.len(), "bodies": bodies::ran(), "inside": inside.count(), "arguments": arguments,
        "result": false,
    })
}
