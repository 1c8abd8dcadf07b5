//! The examination: which way leads to the log, what became of the self-test, and why.

use core::cmp::Reverse;
use core::ptr;

use audit_core::port::{AuditPort, Installed, let_go};
use audit_core::sink::{Condition, Health};
use audit_core::unrecorded;
use tracing::dispatcher::{self, Dispatch};
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::filter::Targets;

use super::self_test::{self, Kept, Span};
use super::{Cause, Diagnosis, Finding, Way};

pub(super) fn examine() -> Diagnosis {
    // What is there must be looked at first: a search lets a recorder go whose log is closed.
    let (layer, recorder) = (AuditPort::of_dispatcher(), AuditPort::of_process());
    let found = AuditPort::find();
    let mut findings = Vec::new();
    let mut add = |cause| findings.push(Finding::new(cause));
    let unrecorded = unrecorded::count();
    if unrecorded > 0 {
        add(Cause::CallsUnrecorded(unrecorded));
    }
    let way = match &found {
        None => {
            add(why_no_log(layer.or(recorder).as_ref().map(AuditPort::health).or_else(let_go)));
            Way::None
        }
        Some(port) => {
            tell_health(&port.health(), &mut add);
            #[cfg(feature = "store")]
            if let Some(opened) = crate::init::sibling() {
                add(Cause::Sibling(opened));
            }
            if layer.is_some_and(|layer| layer.leads_where(port)) {
                Way::Layer
            } else {
                add(why_no_layer(port));
                Way::Recorder
            }
        }
    };
    let is_hidden = findings.iter().any(|finding| matches!(finding.cause, Cause::LayerHidden));
    let tested = self_test::run(found.as_ref());
    let span = match tested.span {
        None | Some(Span::Off | Span::OffByMemory) => false,
        Some(Span::On) => true,
        // Only a layer that is in this subscriber could have seen it.
        Some(Span::Unseen(_)) => way != Way::Layer && !is_hidden,
    };
    findings.extend(tested.kept.cause().filter(|_| way != Way::None).map(Finding::new));
    findings.extend(why_no_span(tested.span, way == Way::Layer || is_hidden));
    findings.sort_by_key(|finding| Reverse(finding.severity()));
    Diagnosis { recording: matches!(tested.kept, Kept::Both), way, span, findings }
}

fn why_no_log(health: Option<Health>) -> Cause {
    match health.as_ref().map(Health::condition) {
        None => Cause::NoLog,
        Some(Condition::Forked) => Cause::Forked,
        Some(_) => Cause::LogClosed,
    }
}

fn tell_health(health: &Health, add: &mut dyn FnMut(Cause)) {
    if health.refused() > 0 {
        add(Cause::RecordsRefused(health.refused()));
    }
    if health.abandoned() > 0 {
        add(Cause::CallsAbandoned(health.abandoned()));
    }
    health.failing_anchors().iter().cloned().for_each(|anchor| add(Cause::AnchorFailing(anchor)));
}

/// Tells why the port is not found through the dispatcher.
fn why_no_layer(port: &AuditPort) -> Cause {
    if !dispatcher::has_been_set() {
        return Cause::NoSubscriber;
    }
    let silent = dispatcher::get_default(|here| here.downcast_ref::<NoSubscriber>().map(place));
    match (silent, port.installed()) {
        (Some(found), _) if Some(found) == fallback() => Cause::NoSubscriberHere,
        (Some(_), _) => Cause::SubscriberOff,
        (None, Installed::Here) => Cause::LayerHidden,
        (None, Installed::Elsewhere) => Cause::OtherSubscriber,
        (None, _) => Cause::NotInstalled,
    }
}

/// Returns where the subscriber stands that tracing hands out where there is none.
fn fallback() -> Option<usize> {
    Dispatch::none().downcast_ref::<NoSubscriber>().map(place)
}

fn place(subscriber: &NoSubscriber) -> usize {
    ptr::from_ref(subscriber).addr()
}

/// Tells what switches the span off, or keeps it from the layer.
fn why_no_span(span: Option<Span>, has_layer: bool) -> Option<Finding> {
    if STATIC_MAX_LEVEL < LevelFilter::INFO {
        return Some(Finding::new(Cause::StaticLevel(STATIC_MAX_LEVEL)));
    }
    let cause = match span? {
        // Without the layer the missing subscriber is the cause, and is named already.
        _ if !has_layer => return None,
        Span::On => return None,
        Span::OffByMemory => return Some(Finding::new(Cause::StaleCallsite)),
        Span::Unseen(self_test::Again::Seen) => return Some(Finding::new(Cause::StaleFilterState)),
        Span::Unseen(self_test::Again::Unseen) => Cause::LayerFilter,
        Span::Off if LevelFilter::current() < LevelFilter::INFO => Cause::MaxLevel(LevelFilter::current()),
        Span::Off => Cause::Filter,
    };
    Some(Finding { cause, hint: hint() })
}

/// Names the filters that can be recognised.
fn hint() -> Option<String> {
    let mut hints = Vec::new();
    dispatcher::get_default(|here| {
        if let Some(level) = here.downcast_ref::<LevelFilter>() {
            hints.push(format!("the subscriber holds a `LevelFilter` at {level}"));
        }
        if let Some(targets) = here.downcast_ref::<Targets>() {
            hints.push(format!("the subscriber holds the `Targets` `{targets}`"));
        }
    });
    if let Ok(wanted) = std::env::var("RUST_LOG") {
        hints.push(format!("RUST_LOG is `{}`", wanted.escape_debug()));
    }
    (!hints.is_empty()).then(|| hints.join("; "))
}
