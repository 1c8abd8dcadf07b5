//! The beginning of a call: context, span, arguments, the `started` record and the wait for it.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::borrow::Cow;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::{Arguments, Call, Kept, OnUnavailable, Open, Place, Site, span};
use crate::canonical::Canonical;
use crate::capture::Captured;
use crate::context::{Ambient, CallLink, SpanPlace};
use crate::correlation;
use crate::policed::{Called, Policed};
use crate::port::AuditPort;
use crate::record::{Payload, Target};
use crate::redact::secrets::Secrets;
use crate::redact::{Redaction, Rules};
use crate::reused::Buffer;
use crate::sink::{AppendError, Receipt};
use crate::time::{Clock as _, SystemClock};
use crate::unavailable::{self, Unavailable};
use crate::unrecorded;
use crate::vocabulary::Stages;

/// A call whose `started` record may still be on its way. Dropped, it is recorded as cancelled without effect.
#[derive(Debug)]
#[must_use = "a call that has begun runs its body or is cancelled"]
pub struct Begin {
    site: &'static Site,
    action: Cow<'static, str>,
    call: Call,
    /// What the body waits for: only a record that is to be on the disk is worth waiting for.
    receipt: Option<Receipt>,
    without_log: bool,
}

impl UnwindSafe for Begin {}
impl RefUnwindSafe for Begin {}

/// What a call is given.
pub struct Given<'a> {
    /// The arguments. They are a list, and not code that takes them: a closure costs the compiler more, and nothing of the
    /// user's runs to make the list.
    pub arguments: &'a [Captured<'a>],
    /// What is done with each of the arguments; empty where all of the parameters are recorded.
    pub places: &'static [Place],
    /// Takes what the attribute adds, fields and targets: expressions of the user's, which run inside the call.
    pub also: Option<&'a mut dyn FnMut(&mut Arguments<'_>)>,
}

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

/// Begins a call, before the body moves the arguments.
pub fn begin(site: &'static Site, mut given: Given<'_>) -> Begin {
    let label = Label { action: Cow::Borrowed(site.action), tool: Cow::Borrowed(site.tool) };
    begin_as(site, label, &mut |rules| take(site, rules, &mut given))
}

/// Begins a call and waits for its record, for the policy that counts.
// It does not take its caller's place, which would be one more constant of each audited function.
pub fn call(site: &'static Site, given: Given<'_>) -> Call {
    begin(site, given).call()
}

/// Begins a call and waits for its record, for the policy that panics.
#[track_caller]
pub fn call_or_panic(site: &'static Site, given: Given<'_>) -> Call {
    begin(site, given).call()
}

/// Begins a call and waits for its record, for policies that refuse the call.
///
/// # Errors
/// The call cannot be recorded and must not run.
pub fn checked(site: &'static Site, given: Given<'_>) -> Result<Call, Unavailable> {
    begin(site, given).checked()
}

/// Begins a call and leaves the waiting to its future, for the policy that counts.
pub fn call_now(site: &'static Site, given: Given<'_>) -> Call {
    begin(site, given).call_now()
}

/// Begins a call and leaves the waiting to its future, for the policy that panics.
#[track_caller]
pub fn call_now_or_panic(site: &'static Site, given: Given<'_>) -> Call {
    begin(site, given).call_now()
}

/// Begins a call and leaves the waiting to its future, for policies that refuse the call.
///
/// # Errors
/// The call cannot be recorded and must not run.
pub fn checked_now(site: &'static Site, given: Given<'_>) -> Result<Call, Unavailable> {
    begin(site, given).checked_now()
}

/// What a call is called: by its site, or at run time.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) action: Cow<'static, str>,
    pub(crate) tool: Cow<'static, str>,
}

/// What was captured before the body runs.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) arguments: Option<Buffer>,
    pub(crate) fields: Option<Buffer>,
    pub(crate) targets: Vec<Target>,
    pub(crate) redactions: Vec<Redaction>,
    pub(crate) secrets: Secrets,
    /// The rules again, which know by now whose values they seal.
    pub(crate) rules: Option<Rules>,
}

/// Begins a call under a name of its own. `capture` is called once, inside the call.
pub(crate) fn begin_as(site: &'static Site, label: Label, capture: &mut dyn FnMut(Rules) -> Taken) -> Begin {
    let Some(port) = AuditPort::find() else {
        Ambient::current_with(None).reached(&label.tool);
        return Begin { site, action: label.action, call: Call { open: None }, receipt: None, without_log: true };
    };
    let ambient = Ambient::current_with(Some(&port));
    ambient.reached(&label.tool);
    let called = Called { action: &label.action, tool: &label.tool, ambient: &ambient };
    let policed = Policed::of(port.sink(), site, called);
    if let Some(policed) = policed.as_ref().filter(|policed| policed.is_unrecorded()) {
        policed.note_unrecorded(None);
        return Begin { site, action: label.action, call: Call { open: None }, receipt: None, without_log: false };
    }
    let rules = rules_of(site, &port, &ambient, policed.as_deref());
    let (start, start_steady) = port.clock().both();
    let id = port.new_call_id(start);
    let parent = correlation::attach(|| ambient.fields()?.remote_parent());
    let span = span::open(&label, id, &ambient);
    drop(parent);
    let inside = ambient.inside(CallLink { id, action: label.action.clone() });
    let place = span.with_subscriber(|(id, dispatch)| {
        port.attach(dispatch, id, &inside);
        SpanPlace::of(id, dispatch)
    });
    let mut open = Kept::new(Open {
        site,
        policed,
        action: label.action.clone(),
        tool: label.tool,
        port,
        span,
        place,
        ambient,
        inside,
        entering: None,
        id,
        start,
        start_steady,
        targets: Vec::new(),
        request: None,
        annotations: None,
        rules: Rules::default(),
        redactions: Vec::new(),
        response_redactions: Vec::new(),
        receipt: None,
        in_log: false,
        counted: false,
        body_began: false,
        correlation: None,
        entered: None,
    });
    let arguments = open.capture(rules, capture);
    let request = arguments.filter(|_| open.takes_arguments()).map(Payload::new);
    match &request {
        Some(request) => span::record_arguments(&open.span, site.telemetry, request),
        None => open.forget_arguments(),
    }
    let receipt = match open.stages() {
        Stages::StartedCompleted => {
            let receipt = open.append_started(request.as_ref());
            open.in_log = !matches!(receipt.as_ref().and_then(Receipt::known), Some(Err(_)));
            receipt
        }
        Stages::Completed => {
            open.request = request;
            None
        }
    };
    Begin { site, action: label.action, call: Call { open: Some(open) }, receipt, without_log: false }
}

/// Returns what is removed from the call: by its attribute, by the log, and by the policy.
fn rules_of(site: &'static Site, port: &AuditPort, ambient: &Ambient, policed: Option<&Policed>) -> Rules {
    let rules = Rules::of_call(port, ambient, site.redact);
    match policed {
        Some(policed) => rules.with(policed.rules().clone()),
        None => rules,
    }
}

impl Open {
    /// Takes what is captured inside the call; the arguments are returned.
    fn capture(&mut self, rules: Rules, capture: &mut dyn FnMut(Rules) -> Taken) -> Option<Buffer> {
        let span = self.span.enter();
        self.correlation = correlation::of_span(&self.span).map(|ids| self.ambient.correlation_in(ids));
        let entered = self.inside.clone().enter_in(self.place.clone().or_else(SpanPlace::current));
        let Taken { arguments, fields, targets, redactions, secrets, rules } = capture(rules);
        self.entering = entered.leave();
        drop(span);
        if !secrets.is_empty() {
            self.inside.with_secrets(|own| own.take(secrets));
        }
        (self.targets, self.redactions) = (targets, redactions);
        self.rules = rules.unwrap_or_default();
        self.annotations = fields.map(Payload::new);
        arguments
    }
}

fn take(site: &'static Site, rules: Rules, given: &mut Given<'_>) -> Taken {
    let mut canonical = Canonical::redacting(rules);
    let mut frame = canonical.open_arguments();
    let mut taken = Arguments::new(site, &mut canonical, &mut frame);
    taken.take(given.arguments, given.places);
    if let Some(also) = &mut given.also {
        also(&mut taken);
    }
    let (targets, captured) = taken.into_parts();
    let rules = canonical.take_rules();
    let (bytes, redactions, secrets) = canonical.into_parts();
    let (arguments, fields) = match captured {
        Some(arguments) => (Some(arguments), Some(bytes)),
        None => (Some(bytes), None),
    };
    Taken { arguments, fields, targets, redactions, secrets, rules }
}

impl Begin {
    /// Waits for the record, for policies that let the body run in any case.
    #[track_caller]
    pub fn call(mut self) -> Call {
        let result = self.receipt.take().map_or(Ok(()), Receipt::wait_kept);
        self.run_anyway(result)
    }

    /// Waits for the record, for policies that refuse the call.
    ///
    /// # Errors
    /// The call cannot be recorded and must not run.
    pub fn checked(mut self) -> Result<Call, Unavailable> {
        let result = self.receipt.take().map_or(Ok(()), Receipt::wait_kept);
        self.or_refuse(result)
    }

    /// Leaves the waiting to the future that the body returns, for policies that let the body run in any case.
    #[track_caller]
    pub fn call_now(mut self) -> Call {
        match self.leave_receipt() {
            Some(result) => self.run_anyway(result),
            None => self.call,
        }
    }

    /// Leaves the waiting to the future that the body returns, for policies that refuse the call.
    ///
    /// # Errors
    /// The call cannot be recorded and must not run.
    pub fn checked_now(mut self) -> Result<Call, Unavailable> {
        match self.leave_receipt() {
            Some(result) => self.or_refuse(result),
            None => Ok(self.call),
        }
    }

    /// Tells whether the body runs even if the call cannot be recorded.
    pub(crate) fn runs_anyway(&self) -> bool {
        self.site.on_unavailable != OnUnavailable::Return
    }

    /// Makes a call whose receipt said that it is not in the log.
    pub(super) fn without_receipt(open: Kept) -> Self {
        let (site, action) = (open.site, open.action.clone());
        Self { site, action, call: Call { open: Some(open) }, receipt: None, without_log: false }
    }

    /// Puts a receipt that is still pending into the call; returns the result of any other.
    fn leave_receipt(&mut self) -> Option<Result<(), AppendError>> {
        let Some(receipt) = self.receipt.take() else { return Some(Ok(())) };
        if let Some(result) = receipt.known() {
            return Some(result);
        }
        let open = self.call.open.as_mut()?;
        open.receipt = Some(receipt);
        None
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
            Some(receipt) => receipt.poll_kept(context),
        }
    }

    #[track_caller]
    pub(super) fn run_anyway(mut self, result: Result<(), AppendError>) -> Call {
        if !self.without_log && result.is_ok() {
            return self.call;
        }
        let unavailable = Unavailable::new(self.action.clone(), result.as_ref().err().cloned());
        if self.site.on_unavailable == OnUnavailable::Panic {
            unavailable::panic(&unavailable);
        }
        unrecorded::add(SystemClock.now(), result.as_ref().err(), &unavailable.counted());
        if let Some(open) = &mut self.call.open {
            open.counted = true;
        }
        self.call
    }

    fn or_refuse(self, result: Result<(), AppendError>) -> Result<Call, Unavailable> {
        if !self.without_log && result.is_ok() {
            return Ok(self.call);
        }
        Err(Unavailable::new(self.action, result.err()))
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
