//! The context at work on this thread, and how it is found when only a span was carried along.

use core::cell::RefCell;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Dispatch, dispatcher, span};

use super::{Fields, fields};
use crate::correlation::SpanIds;
use crate::id::CallId;
use crate::port::AuditPort;
use crate::redact::secrets::Secrets;

thread_local! {
    /// What was entered on this thread and not left yet; the last is at work. Tokens ascend.
    static HERE: RefCell<Frames> = const { RefCell::new(Frames { list: Vec::new(), entered: 0 }) };
}

thread_local! {
    /// Places that calls were inside of, empty.
    static SPARE: RefCell<Vec<Arc<Place>>> = const { RefCell::new(Vec::new()) };
}

/// How many of them a thread keeps.
const SPARE_MAX: usize = 16;

/// Frames, the first of which are entered; the others wait to be used again.
#[derive(Debug)]
struct Frames {
    list: Vec<Frame>,
    entered: usize,
}

#[derive(Debug, Default)]
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
    pub(crate) fn of(id: &span::Id, dispatch: &Dispatch) -> Self {
        Self { id: id.clone(), port: port_address(dispatch) }
    }

    /// Returns the current span.
    pub(crate) fn current() -> Option<Self> {
        dispatcher::get_default(|dispatch| Some(Self::of(dispatch.current_span().id()?, dispatch)))
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

impl Frames {
    fn last(&self) -> Option<&Frame> {
        self.list.get(self.entered.checked_sub(1)?)
    }

    /// Enters a frame and returns its token.
    // Its parts are put where they stay, one by one, and the ambient is taken only then: nothing is moved through a place
    // from which it might have to be dropped.
    fn enter(&mut self, ambient: &mut Ambient, span: Option<SpanPlace>) -> u64 {
        let token = self.last().map_or(0, |frame| frame.token + 1);
        if self.entered == self.list.len() {
            self.list.push(Frame::default());
        }
        if let Some(frame) = self.list.get_mut(self.entered) {
            mem::swap(&mut frame.ambient, ambient);
            (frame.token, frame.span) = (token, span);
        }
        self.entered += 1;
        token
    }

    /// Leaves the frame with the token, which most often is the last.
    fn leave(&mut self, token: u64) -> Option<Ambient> {
        let frames = self.list.get_mut(..self.entered)?;
        if frames.last()?.token != token {
            let at = frames.iter().rposition(|frame| frame.token == token)?;
            frames.get_mut(at..)?.rotate_left(1);
        }
        self.entered -= 1;
        frames.last_mut().map(|frame| mem::take(&mut frame.ambient))
    }
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

    /// Writes the record's `correlation` for what happens here and inside of the given span.
    pub(crate) fn correlation_in(&self, span: SpanIds) -> Vec<u8> {
        fields::correlation_in(self.fields(), span)
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
        let mut place = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop()).ok().flatten().unwrap_or_default();
        let inside =
            Place { fields, tool_call_id: None, call: Some(call), secrets: Kept::Here(Mutex::default()), watch };
        match Arc::get_mut(&mut place) {
            Some(place) => *place = inside,
            None => place = Arc::new(inside),
        }
        Self(Some(place))
    }

    /// Gives its place to this thread, to be used again, unless somebody still has it.
    pub(crate) fn recycle(self) {
        let Some(mut place) = self.0 else { return };
        let Some(inner) = Arc::get_mut(&mut place) else { return };
        *inner = Place::default();
        let _ended = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.len() < SPARE_MAX
            {
                spare.push(place);
            }
        });
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
    pub(crate) fn enter_in(mut self, span: Option<SpanPlace>) -> Entered {
        let ambient = &mut self;
        let token = HERE.try_with(|here| here.borrow_mut().enter(ambient, span));
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
        HERE.try_with(|here| here.borrow_mut().leave(token)).ok().flatten()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(id: u8) -> Ambient {
        Ambient::default().inside(CallLink { id: CallId::from_bytes([id; 16]), action: "order.refund".into() })
    }

    fn id_of(ambient: Option<Ambient>) -> Option<CallId> {
        ambient?.call().map(|call| call.id)
    }

    #[test]
    fn a_place_that_is_used_again_knows_nothing_of_the_call_before() {
        let address = |ambient: &Ambient| ambient.0.as_ref().map(Arc::as_ptr);
        let first = inside(1);
        first.with_secrets(|secrets| secrets.add("hunter2", &crate::redact::rule::Rule::path("card")));
        let place = address(&first);
        first.recycle();
        let second = inside(2);
        assert_eq!(address(&second), place);
        assert!(second.with_secrets(|secrets| secrets.is_empty()));
        let held = second.clone();
        second.recycle();
        assert_ne!(address(&inside(3)), place);
        assert_eq!(id_of(Some(held)), Some(CallId::from_bytes([2; 16])));
    }

    #[test]
    fn what_was_entered_is_left_in_any_order() {
        let current = || id_of(Some(Ambient::current_with(None)));
        let id = |id: u8| Some(CallId::from_bytes([id; 16]));
        let [first, second, third, fourth] = [1, 2, 3, 4].map(|id| inside(id).enter_in(None));
        assert_eq!(id_of(second.leave()), id(2));
        assert_eq!(current(), id(4));
        assert_eq!(id_of(fourth.leave()), id(4));
        assert_eq!(current(), id(3));
        let fifth = inside(5).enter_in(None);
        assert_eq!(id_of(first.leave()), id(1));
        assert_eq!(current(), id(5));
        assert_eq!(id_of(fifth.leave()), id(5));
        assert_eq!(id_of(third.leave()), id(3));
        assert_eq!(current(), None);
    }
}
