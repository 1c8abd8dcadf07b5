//! The context at work on this thread, and how it is found when only a span was carried along.

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering};
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use tracing::{Dispatch, Span, dispatcher, span};

use super::Fields;
use crate::id::CallId;
use crate::port::AuditPort;
use crate::redact::secrets::Secrets;

thread_local! {
    /// What was entered on this thread and not left yet; the last is at work. Tokens ascend.
    static HERE: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
struct Frame {
    token: u64,
    ambient: Ambient,
}

/// What is at work at one place: the context's values, the model's call and the audited call around it.
///
/// The layer keeps one in the extensions of each audit span, so that a task that only carries the span finds it.
#[derive(Clone, Debug)]
pub struct Ambient {
    fields: Option<Arc<Fields>>,
    tool_call_id: Option<Arc<str>>,
    call: Option<CallLink>,
    /// What was removed from the arguments of the audited call, and of those inside it that failed: their errors pass
    /// through it. The lock is never held over the user's code.
    secrets: Option<Arc<Mutex<Secrets>>>,
    /// Waits for the first audited call of a tool in here.
    watch: Option<Arc<Watched>>,
    /// The span that was current when this was entered: whichever of the two is nearer decides.
    span: Option<SpanPlace>,
}

/// A tool whose audited call is waited for, to tell calls that reached their function from those that did not.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) tool: String,
    pub(super) reached: AtomicBool,
}

/// A span, told apart from one with the same identifier of another subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpanPlace {
    id: span::Id,
    /// Where the port of the subscriber's layer stands in memory; 0 without one.
    port: usize,
}

impl SpanPlace {
    pub(crate) fn of(span: &Span) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| Self { id: id.clone(), port: port_address(dispatch) })
    }

    /// Returns the current span.
    fn current() -> Option<Self> {
        dispatcher::get_default(|dispatch| {
            Some(Self { id: dispatch.current_span().id()?.clone(), port: port_address(dispatch) })
        })
    }
}

fn port_address(dispatch: &Dispatch) -> usize {
    dispatch.downcast_ref::<AuditPort>().map_or(0, |port| core::ptr::from_ref(port).addr())
}

/// The audited call around a place.
#[derive(Clone, Debug)]
pub(crate) struct CallLink {
    pub(crate) id: CallId,
    pub(crate) action: Cow<'static, str>,
}

impl Ambient {
    const fn none() -> Self {
        Self { fields: None, tool_call_id: None, call: None, secrets: None, watch: None, span: None }
    }

    /// Returns what is at work here: on this thread, or through the current span if that is nearer.
    pub(crate) fn current() -> Self {
        Self::current_with(AuditPort::find().as_ref())
    }

    pub(crate) fn current_with(port: Option<&AuditPort>) -> Self {
        // A thread-local that is being destroyed has no context any more.
        let here = HERE.try_with(|here| here.borrow().last().map(|frame| frame.ambient.clone()));
        let here = here.ok().flatten().unwrap_or(Self::none());
        let Some(current) = SpanPlace::current() else { return here };
        if here.span.as_ref() == Some(&current) {
            return here;
        }
        let stop = here.span.as_ref().filter(|entered| entered.port == current.port).map(|entered| &entered.id);
        port.and_then(|port| port.nearest_ambient(&current.id, stop)).unwrap_or(here)
    }

    pub(crate) const fn fields(&self) -> Option<&Arc<Fields>> {
        self.fields.as_ref()
    }

    pub(crate) fn tool_call_id(&self) -> Option<&str> {
        self.tool_call_id.as_deref()
    }

    pub(crate) const fn call(&self) -> Option<&CallLink> {
        self.call.as_ref()
    }

    /// Returns what the texts of the call around this place must not show.
    pub(crate) const fn secrets(&self) -> Option<&Arc<Mutex<Secrets>>> {
        self.secrets.as_ref()
    }

    pub(super) fn set_tool_call_id(&mut self, id: Option<String>) {
        self.tool_call_id = id.map(Into::into);
    }

    pub(super) fn with_fields(self, fields: Arc<Fields>) -> Self {
        Self { fields: Some(fields), ..self }
    }

    /// Returns what is at work inside the given call: the model's identifier was for the call itself.
    pub(crate) fn inside(&self, call: CallLink, secrets: Arc<Mutex<Secrets>>) -> Self {
        let (fields, call, secrets) = (self.fields.clone(), Some(call), Some(secrets));
        Self { fields, tool_call_id: None, call, secrets, watch: self.watch.clone(), span: None }
    }

    pub(super) fn set_watch(&mut self, watch: Arc<Watched>) {
        self.watch = Some(watch);
    }

    /// Tells who watches this place that an audited call of the tool has begun.
    pub(crate) fn reached(&self, tool: &str) {
        if let Some(watch) = self.watch.as_ref().filter(|watch| watch.tool == tool) {
            watch.reached.store(true, Ordering::Release);
        }
    }

    /// Enters on this thread, inside the span that is current now.
    pub(crate) fn enter_here(self) -> Entered {
        let span = SpanPlace::current();
        self.enter_in(span)
    }

    /// Enters on this thread, inside the given span.
    pub(crate) fn enter_in(mut self, span: Option<SpanPlace>) -> Entered {
        self.span = span;
        let token = HERE.try_with(|here| {
            let mut frames = here.borrow_mut();
            let token = frames.last().map_or(0, |frame| frame.token + 1);
            frames.push(Frame { token, ambient: self });
            token
        });
        Entered { token: token.ok() }
    }
}

/// Leaves what was entered when it is dropped. Guards may be dropped in any order: each takes away only its own.
#[derive(Debug)]
pub(crate) struct Entered {
    token: Option<u64>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Some(token) = self.token else { return };
        // What was taken out is dropped after the borrow ends; a thread-local that is gone needs no leaving.
        let _left = HERE.try_with(|here| {
            let mut frames = here.borrow_mut();
            let at = frames.iter().rposition(|frame| frame.token == token)?;
            Some(frames.remove(at))
        });
    }
}
