//! What can stand in the way of a record or a span, each under its name.

use core::fmt;
use std::path::PathBuf;

use audit_core::sink::{AppendError, FailingAnchor};
use tracing::level_filters::LevelFilter;

/// What stands in the way, or stood.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// No log is open, and none was before.
    NoLog,
    /// The log was closed.
    LogClosed,
    /// This process is a forked copy of the one that opened the log, which alone may write it.
    Forked,
    /// The log did not accept the record of the self-test.
    Refused(AppendError),
    /// The log did not say within a second that the record of the self-test is as durable as it should be.
    Unconfirmed,
    /// The log took the beginning of the self-test and not its end.
    EndRefused,
    /// No tracing subscriber was ever set.
    NoSubscriber,
    /// A subscriber that does nothing, [`NoSubscriber`](tracing::subscriber::NoSubscriber), is set here.
    SubscriberOff,
    /// There are subscribers, but none here: this thread has none, or this is the callback of a layer, inside of which
    /// tracing hands out none.
    NoSubscriberHere,
    /// Another subscriber than the one with the audit layer is at work here.
    OtherSubscriber,
    /// The audit layer is in no subscriber, or in one that was not installed because another one was first (a second
    /// `try_init`), or in one that is gone.
    NotInstalled,
    /// The audit layer is at work, but hidden behind a wrapper such as `reload::Layer`, through which it is not found.
    LayerHidden,
    /// Spans and events are compiled out: a crate in the program switched on one of tracing's features `max_level_…` or
    /// `release_max_level_…`.
    StaticLevel(LevelFilter),
    /// No subscriber takes spans of level INFO: `with_max_level`, an `EnvFilter`, a `LevelFilter` or all filters together.
    MaxLevel(LevelFilter),
    /// A filter switches off the target `audit` or its spans: a directive such as `audit=off`.
    Filter,
    /// A filter of the audit layer's own (`with_filter`) keeps audit spans from it.
    LayerFilter,
    /// What an earlier question to the filters of this thread left behind kept the span from the audit layer.
    StaleFilterState,
    /// Tracing remembers that nobody wants the span, from a thread or a callback without the subscriber where the span's
    /// place in the code was met first. `tracing::callsite::rebuild_interest_cache`, called here, makes it ask again.
    StaleCallsite,
    /// The log refused this many records since it was opened; it states them itself.
    RecordsRefused(u64),
    /// This many calls or events of this process went unrecorded, and no log has stated them yet.
    CallsUnrecorded(u64),
    /// This many calls of an earlier process had no end when the log was opened: it exited inside of them, was aborted or
    /// was killed. Each is recorded as `tool.abandoned`.
    CallsAbandoned(u64),
    /// An anchor of the log has taken no checkpoint since it failed; the log goes on, and tries again.
    AnchorFailing(FailingAnchor),
    /// [`init`](crate::init) opened this log, beside the one that it was asked for, which another process held.
    Sibling(PathBuf),
}

/// How much a [`Cause`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Something to know of; nothing is in the way now.
    Note,
    /// Audited calls are recorded, but not all that depends on spans: telemetry does not see the call, a task that carries
    /// the span alone finds no context there, or spans written by hand are not recorded.
    Degrades,
    /// Audited calls are not recorded.
    Blocks,
}

impl Cause {
    /// Returns how much this matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NoLog | Self::LogClosed | Self::Forked | Self::Refused(_) | Self::Unconfirmed | Self::EndRefused => {
                Severity::Blocks
            }
            Self::RecordsRefused(_)
            | Self::CallsUnrecorded(_)
            | Self::CallsAbandoned(_)
            | Self::AnchorFailing(_)
            | Self::Sibling(_) => Severity::Note,
            _ => Severity::Degrades,
        }
    }

    /// Returns the name of the cause, for programs: `max_level`, `no_log`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoLog => "no_log",
            Self::LogClosed => "log_closed",
            Self::Forked => "forked",
            Self::Refused(_) => "refused",
            Self::Unconfirmed => "unconfirmed",
            Self::EndRefused => "end_refused",
            Self::NoSubscriber => "no_subscriber",
            Self::SubscriberOff => "subscriber_off",
            Self::NoSubscriberHere => "no_subscriber_here",
            Self::OtherSubscriber => "other_subscriber",
            Self::NotInstalled => "not_installed",
            Self::LayerHidden => "layer_hidden",
            Self::StaticLevel(_) => "static_level",
            Self::MaxLevel(_) => "max_level",
            Self::Filter => "filter",
            Self::LayerFilter => "layer_filter",
            Self::StaleFilterState => "stale_filter_state",
            Self::StaleCallsite => "stale_callsite",
            Self::RecordsRefused(_) => "records_refused",
            Self::CallsUnrecorded(_) => "calls_unrecorded",
            Self::CallsAbandoned(_) => "calls_abandoned",
            Self::AnchorFailing(_) => "anchor_failing",
            Self::Sibling(_) => "sibling",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLog => {
                f.write_str("no log is open: call `audited::init`, or open a `Log` and make a `layer` on it")
            }
            Self::LogClosed => f.write_str("the log was closed: keep its guard as long as calls are to be recorded"),
            Self::Forked => {
                f.write_str("this process was forked from the one that opened the log: open a log of its own in it")
            }
            Self::Refused(error) => write!(f, "the log refused the record of the self-test: {error}"),
            Self::Unconfirmed => f.write_str("the log did not confirm the record of the self-test within a second"),
            Self::EndRefused => f.write_str("the log took the beginning of the self-test and not its end"),
            Self::NoSubscriber => f.write_str("no tracing subscriber was set"),
            Self::SubscriberOff => f.write_str("a subscriber that does nothing, `NoSubscriber`, is set here"),
            Self::NoSubscriberHere => {
                f.write_str("this thread has no tracing subscriber, or this is a callback of a layer")
            }
            Self::OtherSubscriber => {
                f.write_str("another subscriber than the one with the audit layer is at work here")
            }
            Self::NotInstalled => f.write_str(
                "the subscriber with the audit layer is not installed: another one was first, or it is gone, or the \
                 layer was put into none",
            ),
            Self::LayerHidden => f.write_str("the audit layer is hidden behind a wrapper such as `reload::Layer`"),
            Self::StaticLevel(level) => write!(
                f,
                "tracing is compiled to the level {level} at most: a crate switched on a feature such as \
                 `release_max_level_off`"
            ),
            Self::MaxLevel(level) => {
                write!(f, "no subscriber takes spans of level info; the highest level that is taken is {level}")
            }
            Self::Filter => f.write_str("a filter switches off spans of the target `audit`, such as `audit=off`"),
            Self::LayerFilter => f.write_str("a filter on the audit layer keeps spans of the target `audit` from it"),
            Self::StaleFilterState => f.write_str(
                "an earlier question to this thread's filters, such as `tracing::enabled!`, kept the span from the \
                 audit layer: put `audited::audit_filter()` on it",
            ),
            Self::StaleCallsite => f.write_str(
                "tracing remembers that nobody wants the span, from where its place in the code was met first: call \
                 `tracing::callsite::rebuild_interest_cache` here",
            ),
            Self::RecordsRefused(records) => write!(f, "the log refused {records} records since it was opened"),
            Self::CallsUnrecorded(calls) => {
                write!(f, "{calls} calls or events went unrecorded, not yet stated by a log")
            }
            Self::CallsAbandoned(calls) => {
                write!(f, "{calls} calls of an earlier process had no end: it exited, was aborted or was killed")
            }
            Self::AnchorFailing(FailingAnchor { name, reason, is_alarm }) => {
                let what = if *is_alarm { "contradicts the log" } else { "is failing" };
                write!(f, "the anchor {name} {what}: {reason}")
            }
            Self::Sibling(opened) => {
                write!(f, "another process held the log: records of this one go to {}", opened.display())
            }
        }
    }
}
