//! Observes `#[tracing::instrument]` through a layer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

pub use probe_common::*;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// The name that each attribute gives its span.
const SUBJECT: &str = "subject";

#[derive(Debug, Default)]
struct Seen {
    calls: usize,
    fields: BTreeSet<&'static str>,
    result: bool,
}

#[derive(Clone, Debug, Default)]
struct Observer(Arc<Mutex<Seen>>);

struct Fields<'a>(&'a mut BTreeSet<&'static str>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, _: &dyn core::fmt::Debug) {
        self.0.insert(field.name());
    }
}

impl<S: Subscriber> Layer<S> for Observer {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if attributes.metadata().name() == SUBJECT {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.calls += 1;
            attributes.record(&mut Fields(&mut seen.fields));
        }
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).fields));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = BTreeSet::new();
        event.record(&mut Fields(&mut fields));
        let result = fields.contains("return") || fields.contains("error");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).result |= result;
    }
}

/// Called by each body: it is inside if the subject's span is the current one.
pub fn body() {
    bodies::note(Span::current().metadata().is_some_and(|metadata| metadata.name() == SUBJECT));
}

/// The documented way to put a block into a span.
#[macro_export]
macro_rules! call_block {
    ($($block:tt)*) => { $crate::__private::tracing::info_span!("subject").in_scope(|| $($block)*) };
}

#[doc(hidden)]
pub mod __private {
    pub use tracing;
}

/// Runs a shape and tells what was seen of it.
///
/// # Panics
/// Where another subscriber is installed already.
pub fn observe(run: impl FnOnce()) -> Value {
    let observer = Observer::default();
    let subscriber = tracing_subscriber::registry().with(observer.clone());
    #[expect(clippy::expect_used, reason = "a comparison that cannot run fails")]
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is installed");
    run();
    let seen = observer.0.lock().unwrap_or_else(PoisonError::into_inner);
    json!({
        "calls": seen.calls, "bodies": bodies::ran(), "inside": bodies::inside(), "arguments": seen.fields,
        "result": seen.result,
    })
}
