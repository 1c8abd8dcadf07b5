//! The beginning of a call: context, span, arguments, the `started` record and the wait for it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::{Arc, Mutex};

use super::{Arguments, Call, OnUnavailable, Open, Site, span};
use crate::canonical::Canonical;
use crate::context::{Ambient, CallLink};
use crate::port::AuditPort;
use crate::record::{Payload, Target};
use crate::redact::Redaction;
use crate::redact::secrets::Secrets;
use crate::sink::{AppendError, Receipt};
use crate::time::{Clock as _, SystemClock};
use crate::unavailable::{self, Unavailable};
use crate::unrecorded;
use crate::vocabulary::{Level, Stages};

/// A call whose `started` record may still be on its way. Dropped, it is recorded as cancelled without effect.
#[derive(Debug)]
#[must_use = "a call that has begun runs its body or is cancelled"]
pub struct Begin {
    site: &'static Site,
    call: Call,
    /// What the body waits for: only a record that is to be on the disk is worth waiting for.
    receipt: Option<Receipt>,
    without_log: bool,
}

/// Begins a call. `capture` is called once, before the body moves the arguments.
pub fn begin(site: &'static Site, capture: &mut dyn FnMut(&mut Arguments<'_>)) -> Begin {
    let Some(port) = AuditPort::find() else {
        return Begin { site, call: Call { open: None }, receipt: None, without_log: true };
    };
    let ambient = Ambient::current_with(Some(&port));
    let start = port.clock().now();
    let start_steady = port.clock().steady();
    let id = port.new_call_id(start);
    let span = span::open(site, id, &ambient);
    let secrets = Arc::new(Mutex::new(Secrets::default()));
    let inside = ambient.inside(CallLink { id, action: site.action }, Arc::clone(&secrets));
    if let Some(span_id) = span.id() {
        port.attach(&span_id, inside.clone());
    }
    let taken = {
        let _span = span.enter();
        let _ambient = inside.enter_here();
        take(site, capture)
    };
    super::lock(&secrets).absorb(&taken.secrets);
    let mut open = Box::new(Open {
        site,
        tool_call_id: ambient.tool_call_id().map(Into::into),
        parent: ambient.call().map(|call| call.id),
        port,
        span,
        ambient,
        id,
        start,
        start_steady,
        targets: taken.targets,
        request: None,
        redactions: taken.redactions,
        secrets,
        in_log: false,
        counted: false,
        body_began: false,
    });
    let request = (site.level != Level::Metadata).then(|| Payload::new(taken.arguments));
    let receipt = match site.stages {
        Stages::StartedCompleted => {
            let receipt = open.append_started(request.as_ref());
            open.in_log = !matches!(receipt.now(), Some(Err(_)));
            Some(receipt)
        }
        Stages::Completed => {
            open.request = request;
            None
        }
    };
    Begin { site, call: Call { open: Some(open) }, receipt, without_log: false }
}

struct Taken {
    arguments: Vec<u8>,
    targets: Vec<Target>,
    redactions: Vec<Redaction>,
    secrets: Secrets,
}

fn take(site: &'static Site, capture: &mut dyn FnMut(&mut Arguments<'_>)) -> Taken {
    let mut canonical = Canonical::redacting(site.redact);
    let mut frame = canonical.open_arguments();
    let mut arguments = Arguments::new(site, &mut canonical, &mut frame);
    capture(&mut arguments);
    let targets = arguments.into_targets();
    canonical.close_arguments(&frame);
    let (arguments, mut redactions, secrets) = canonical.into_parts();
    if site.level == Level::Metadata {
        // Nothing was removed from arguments that the record does not hold.
        redactions.retain(|redaction| !redaction.path.starts_with("/request/"));
    }
    Taken { arguments, targets, redactions, secrets }
}

impl Begin {
    /// Waits for the record, for policies that let the body run in any case.
    #[track_caller]
    pub fn call(mut self) -> Call {
        let result = self.receipt.take().map_or(Ok(()), |receipt| receipt.wait().map(|_| ()));
        self.run_anyway(result)
    }

    /// Waits for the record, for policies that refuse the call.
    ///
    /// # Errors
    /// The call cannot be recorded and must not run.
    pub fn checked(mut self) -> Result<Call, Unavailable> {
        let result = self.receipt.take().map_or(Ok(()), |receipt| receipt.wait().map(|_| ()));
        self.or_refuse(result)
    }

    /// Awaits the record, for policies that let the body run in any case.
    pub const fn ready(self) -> Ready {
        Ready(Some(self))
    }

    /// Awaits the record, for policies that refuse the call.
    pub const fn checked_ready(self) -> CheckedReady {
        CheckedReady(Some(self))
    }

    fn poll_receipt(&mut self, context: &mut Context<'_>) -> Poll<Result<(), AppendError>> {
        match &mut self.receipt {
            None => Poll::Ready(Ok(())),
            Some(receipt) => Pin::new(receipt).poll(context).map(|result| result.map(|_| ())),
        }
    }

    #[track_caller]
    fn run_anyway(mut self, result: Result<(), AppendError>) -> Call {
        if !self.without_log && result.is_ok() {
            return self.call;
        }
        let unavailable = Unavailable::new(self.site.action, result.as_ref().err().cloned());
        if self.site.on_unavailable == OnUnavailable::Panic {
            unavailable::panic(&unavailable);
        }
        unrecorded::add(SystemClock.now(), result.as_ref().err(), &unavailable);
        if let Some(open) = &mut self.call.open {
            open.counted = true;
        }
        self.call
    }

    fn or_refuse(self, result: Result<(), AppendError>) -> Result<Call, Unavailable> {
        if !self.without_log && result.is_ok() {
            return Ok(self.call);
        }
        Err(Unavailable::new(self.site.action, result.err()))
    }
}

/// Resolves to the call once its record is as durable as demanded.
#[derive(Debug)]
pub struct Ready(Option<Begin>);

impl Future for Ready {
    type Output = Call;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Call> {
        let polled = self.0.as_mut().map_or(Poll::Pending, |begin| begin.poll_receipt(context));
        let Poll::Ready(result) = polled else { return Poll::Pending };
        self.0.take().map_or(Poll::Pending, |begin| Poll::Ready(begin.run_anyway(result)))
    }
}

/// Resolves to the call once its record is as durable as demanded, or to the refusal.
#[derive(Debug)]
pub struct CheckedReady(Option<Begin>);

impl Future for CheckedReady {
    type Output = Result<Call, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.0.as_mut().map_or(Poll::Pending, |begin| begin.poll_receipt(context));
        let Poll::Ready(result) = polled else { return Poll::Pending };
        self.0.take().map_or(Poll::Pending, |begin| Poll::Ready(begin.or_refuse(result)))
    }
}
