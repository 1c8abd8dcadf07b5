//! The context at work on this thread, and how it is found when only a span was carried along.

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// The span that was current when this was entered: whichever of the two is nearer decides.
    span: Option<SpanPlace>,
}

/// What is at work at one place: the context's values, the model's call and the audited call around it.
///
/// The layer keeps one in the extensions of each audit span, so that a task that only carries the span finds it.
#[derive(Clone, Debug, Default)]
pub struct Ambient(Option<Arc<Place>>);

#[derive(Debug, Default)]
struct Place {
    fields: Option<Arc<Fields>>,
    tool_call_id: Option<Arc<str>>,
    call: Option<CallLink>,
    secrets: Kept,
    /// Waits for the first audited call of a tool in here.
    watch: Option<Arc<Watched>>,
}

/// What was removed from the arguments of the audited call, and of those inside it that failed: their errors pass through
/// it. The lock is never held over the user's code.
#[derive(Debug, Default)]
enum Kept {
    /// There is no call around.
    #[default]
    Nowhere,
    /// The place is that of the call.
    Here(Mutex<Secrets>),
    /// The place is inside the call of another one.
    Around(Arc<Place>),
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

    pub(crate) const fn id(&self) -> &span::Id {
        &self.id
    }

    /// Returns the current span.
    pub(crate) fn current() -> Option<Self> {
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
    /// Returns what is at work here: on this thread, or through the current span if that is nearer.
    pub(crate) fn current() -> Self {
        Self::current_with(AuditPort::find().as_ref())
    }

    pub(crate) fn current_with(port: Option<&AuditPort>) -> Self {
        // A thread-local that is being destroyed has no context any more.
        let here = HERE.try_with(|here| here.borrow().last().map(|frame| (frame.ambient.clone(), frame.span.clone())));
        let (here, entered) = here.ok().flatten().unwrap_or_default();
        let Some(current) = SpanPlace::current() else { return here };
        if entered.as_ref() == Some(&current) {
            return here;
        }
        let stop = entered.as_ref().filter(|entered| entered.port == current.port).map(|entered| &entered.id);
        port.and_then(|port| port.nearest_ambient(&current.id, stop)).unwrap_or(here)
    }

    fn place(&self) -> Option<&Place> {
        self.0.as_deref()
    }

    pub(crate) fn fields(&self) -> Option<&Arc<Fields>> {
        self.place()?.fields.as_ref()
    }

    pub(crate) fn tool_call_id(&self) -> Option<&str> {
        self.place()?.tool_call_id.as_deref()
    }

    pub(crate) fn call(&self) -> Option<&CallLink> {
        self.place()?.call.as_ref()
    }

    /// Returns what the texts of the call around this place must not show.
    pub(crate) fn secrets(&self) -> Option<&Mutex<Secrets>> {
        self.place()?.secrets()
    }

    /// Looks at, or adds to, what the texts of the call around this place must not show; nothing is kept outside of calls.
    pub(crate) fn with_secrets<R>(&self, with: impl FnOnce(&mut Secrets) -> R) -> R {
        match self.secrets() {
            Some(secrets) => with(&mut secrets.lock().unwrap_or_else(PoisonError::into_inner)),
            None => with(&mut Secrets::default()),
        }
    }

    /// Tells the call around another place what was removed from the one around this: its errors may pass through there.
    pub(crate) fn tell(&self, outer: &Self) {
        if outer.secrets().is_some() {
            self.with_secrets(|own| {
                if !own.is_empty() {
                    outer.with_secrets(|outer| outer.absorb(own));
                }
            });
        }
    }

    pub(super) fn set_tool_call_id(&mut self, id: Option<String>) {
        self.change(|place| place.tool_call_id = id.map(Into::into));
    }

    pub(super) fn with_fields(mut self, fields: Arc<Fields>) -> Self {
        self.change(|place| place.fields = Some(fields));
        self
    }

    pub(super) fn set_watch(&mut self, watch: Arc<Watched>) {
        self.change(|place| place.watch = Some(watch));
    }

    /// Changes a copy of what is at work.
    fn change(&mut self, change: impl FnOnce(&mut Place)) {
        let mut place = Place::default();
        if let Some(around) = &self.0 {
            let Place { fields, tool_call_id, call, watch, .. } = &**around;
            place = Place {
                fields: fields.clone(),
                tool_call_id: tool_call_id.clone(),
                call: call.clone(),
                secrets: Kept::of(around),
                watch: watch.clone(),
            };
        }
        change(&mut place);
        self.0 = Some(Arc::new(place));
    }

    /// Returns what is at work inside the given call: the model's identifier was for the call itself.
    pub(crate) fn inside(&self, call: CallLink) -> Self {
        let (fields, watch) = self.place().map(|place| (place.fields.clone(), place.watch.clone())).unwrap_or_default();
        let secrets = Kept::Here(Mutex::default());
        Self(Some(Arc::new(Place { fields, tool_call_id: None, call: Some(call), secrets, watch })))
    }

    /// Tells who watches this place that an audited call of the tool has begun.
    pub(crate) fn reached(&self, tool: &str) {
        let watch = self.place().and_then(|place| place.watch.as_ref());
        if let Some(watch) = watch.filter(|watch| watch.tool == tool) {
            watch.reached.store(true, Ordering::Release);
        }
    }

    /// Enters on this thread, inside the span that is current now.
    pub(crate) fn enter_here(self) -> Entered {
        let span = SpanPlace::current();
        self.enter_in(span)
    }

    /// Enters on this thread, inside the given span.
    pub(crate) fn enter_in(self, span: Option<SpanPlace>) -> Entered {
        let token = HERE.try_with(|here| {
            let mut frames = here.borrow_mut();
            let token = frames.last().map_or(0, |frame| frame.token + 1);
            frames.push(Frame { token, ambient: self, span });
            token
        });
        Entered { token: token.ok() }
    }
}

impl Place {
    fn secrets(&self) -> Option<&Mutex<Secrets>> {
        match &self.secrets {
            Kept::Nowhere => None,
            Kept::Here(secrets) => Some(secrets),
            Kept::Around(place) => place.secrets(),
        }
    }
}

impl Kept {
    /// Returns where a place inside of another one keeps what was removed.
    fn of(around: &Arc<Place>) -> Self {
        match &around.secrets {
            Self::Nowhere => Self::Nowhere,
            Self::Here(_) => Self::Around(Arc::clone(around)),
            Self::Around(call) => Self::Around(Arc::clone(call)),
        }
    }
}

/// Leaves what was entered when it is dropped. Guards may be dropped in any order: each takes away only its own.
#[derive(Debug)]
pub(crate) struct Entered {
    token: Option<u64>,
}

impl Entered {
    /// Leaves, and returns what was entered; nothing if the thread is ending.
    pub(crate) fn leave(mut self) -> Option<Ambient> {
        self.take()
    }

    // What was taken out is dropped after the borrow ends; a thread-local that is gone needs no leaving.
    fn take(&mut self) -> Option<Ambient> {
        let token = self.token.take()?;
        let left = HERE.try_with(|here| {
            let mut frames = here.borrow_mut();
            let frame = match frames.pop_if(|frame| frame.token == token) {
                Some(frame) => frame,
                None => {
                    let at = frames.iter().rposition(|frame| frame.token == token)?;
                    frames.remove(at)
                }
            };
            Some(frame.ambient)
        });
        left.ok().flatten()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(self.take());
    }
}
