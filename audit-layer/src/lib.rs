//! The tracing layer of `audited`.
//!
//! [`layer`] makes an [`AuditLayer`] on a sink. The layer holds the port through which audited calls reach the sink,
//! found through the dispatcher even where a filter has switched the call's span off, and keeps each call's context in
//! its span, so that a task which only carries the span (`.in_current_span()`) inherits it.
//!
//! ```
//! # use audit_core::sink::{Prepared, Receipt, Sink};
//! # #[derive(Clone)] struct Log;
//! # impl Sink for Log { fn append(&self, _: &Prepared<'_>) -> Receipt { Receipt::pending().1 } }
//! # let log = Log;
//! use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
//!
//! let audit = audit_layer::layer(&log).with_filter(audit_layer::audit_filter());
//! let subscriber = tracing_subscriber::registry().with(audit);
//! ```
//!
//! The filter lets the layer see audit spans alone, so that the rest of the program pays nothing for it; records of audited
//! calls do not depend on it, nor on any other filter.
//!
//! # Spans and events written by hand
//! A span or event with the target `audit`, or one below it such as `audit::mail`, and a field `audit.action` is recorded
//! too. A span is a call: its beginning is recorded when the span is made, its end when the span closes.
//!
//! ```
//! # use audit_core::sink::{Prepared, Receipt, Sink};
//! # use std::sync::{Arc, Mutex};
//! # use tracing_subscriber::layer::SubscriberExt as _;
//! # #[derive(Clone, Default)] struct Log(Arc<Mutex<String>>);
//! # impl Sink for Log {
//! #     fn append(&self, prepared: &Prepared<'_>) -> Receipt {
//! #         self.0.lock().unwrap().push_str(std::str::from_utf8(prepared.record()).unwrap());
//! #         Receipt::pending().1
//! #     }
//! # }
//! # let log = Log::default();
//! # let subscriber = tracing_subscriber::registry().with(audit_layer::layer(&log));
//! # tracing::subscriber::with_default(subscriber, || {
//! # let (to, password) = ("a@example.com", "hunter2");
//! use tracing::field::Empty;
//!
//! let span = tracing::info_span!(
//!     target: "audit", "send_mail", audit.action = "mail.send", audit.effect = "write", to = %to, password,
//!     audit.outcome = Empty,
//! );
//! span.in_scope(|| {
//!     // An audited call made here has this one as its parent, and an event belongs to it.
//!     tracing::info!(target: "audit", { audit.action = "mail.send", sent = 1 }, "half of it");
//! });
//! span.record("audit.outcome", "partial");
//! # });
//! # let text = log.0.lock().unwrap();
//! # for part in [r#""to":"a@example.com""#, r#""tool.progress""#, r#""status":"partial""#] { assert!(text.contains(part)); }
//! # assert!(!text.contains("hunter2"));
//! ```
//!
//! | field | meaning |
//! |---|---|
//! | `audit.action` | what is done; without it, or where it is recorded only later, there is no record |
//! | `audit.effect` | of a span: `read`, `write` (the default) or `destructive` |
//! | `audit.outcome` | `success` (the default of a span), `failure`, `partial` or `unknown` (that of an event) |
//! | `error.type` | the type of the error; without an outcome it means `failure` |
//! | `audit.event` | of an event: its name, one that [`audited::event`] takes; `tool.progress` unless given |
//! | any other | of a span: an argument, or if recorded later an annotation of its end; of an event: an annotation |
//!
//! [`audited::event`]: https://docs.rs/audited
//!
//! The span's name is the tool. Values that `?` and `%` show are kept as that text; secrets are removed by the names of
//! fields and from such texts, as from the arguments of audited calls. A span that closes while its thread begins to unwind
//! has panicked.
//!
//! This is the best effort that tracing allows, and no more: a filter or a level that switches the span off silences its
//! records, one that is never closed has no end until the log is opened again, and such a call is never refused nor waited
//! for. What must not be lost is annotated with `#[audited]`, or recorded with `audited::event` or `audited::manual`.
//!
//! # Guarantees
//! The layer drops no record that reaches it: what the sink refuses is counted. It holds no lock while it records or runs
//! code of the user's, emits no tracing, and does not panic where a value's `Debug` does. Filters and levels concern spans
//! alone, never the records of audited calls. Audit spans are asked about anew each time, so that what another question
//! left behind in the filters of a thread does not keep them from a layer behind [`audit_filter`].
//!
//! It does not write the log.

mod filter;
mod layer;
mod seen;
mod spans;

pub use filter::{AuditFilter, TelemetryFilter, audit_filter, telemetry_filter};
pub use layer::{AuditLayer, layer};
#[doc(hidden)]
pub use seen::was_seen;
