//! Context: who acts, for whom and why. Set for a scope, inherited by everything that runs inside it.

mod ambient;
pub mod baggage;
mod fields;

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Poll;
use std::sync::Arc;

use pin_project_lite::pin_project;

use crate::vocabulary::Trigger;

pub use ambient::Ambient;
use ambient::Watched;
pub(crate) use ambient::{CallLink, Entered, SpanPlace};
pub(crate) use fields::Fields;
pub use fields::Mcp;
use fields::{Parts, Trace};

/// Starts from the context of the place where it is called; what is set here overrides it.
///
/// ```
/// use audit_core::context::context;
/// use audit_core::vocabulary::Trigger;
///
/// context()
///     .agent("agent:support-7")
///     .on_behalf_of("usr_98765")
///     .roles(["support_agent"])
///     .model("openai", "gpt-4.1")
///     .conversation("conv_abc123")
///     .turn(3)
///     .trigger(Trigger::UserRequest)
///     .in_scope(|| { /* audited calls made here carry all of this */ });
/// ```
pub fn context() -> Context {
    let ambient = Ambient::current();
    Context { parts: ambient.fields().map(|fields| fields.parts().clone()).unwrap_or_default(), ambient }
}

/// Runs a future, wherever it is polled, in the context of the place where `inherit` is called.
///
/// This is for tasks: `tokio::spawn(audited::inherit(async { … }))`.
pub fn inherit<F: Future>(future: F) -> Scoped<F> {
    Scoped { ambient: Ambient::current(), future: Some(future) }
}

/// Who acts, for whom and why; not at work before [`scope`](Self::scope), [`in_scope`](Self::in_scope) or
/// [`enter`](Self::enter).
///
/// Each value is at most 1,024 bytes; a longer one is cut and says so.
#[derive(Clone, Debug)]
#[must_use = "a context does nothing until it is entered"]
pub struct Context {
    parts: Parts,
    ambient: Ambient,
}

impl Context {
    /// Sets the agent's identifier.
    pub fn agent(mut self, id: impl Into<String>) -> Self {
        self.parts.agent.id = fields::bounded(id);
        self
    }

    /// Sets the agent's name.
    pub fn agent_name(mut self, name: impl Into<String>) -> Self {
        self.parts.agent.name = fields::bounded(name);
        self
    }

    /// Sets the agent's version.
    pub fn agent_version(mut self, version: impl Into<String>) -> Self {
        self.parts.agent.version = fields::bounded(version);
        self
    }

    /// Sets the user on whose behalf the agent acts.
    pub fn on_behalf_of(mut self, user_id: impl Into<String>) -> Self {
        self.parts.user.id = fields::bounded(user_id);
        self
    }

    /// Sets the roles of that user; at most 64.
    pub fn roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.parts.user.roles = roles.into_iter().take(fields::ROLES_MAX).filter_map(fields::bounded).collect();
        self
    }

    /// Sets the model that decides: its provider and its name.
    pub fn model(mut self, provider: impl Into<String>, name: impl Into<String>) -> Self {
        self.parts.model.provider = fields::bounded(provider);
        self.parts.model.name = fields::bounded(name);
        self
    }

    /// Sets the conversation's identifier.
    pub fn conversation(mut self, id: impl Into<String>) -> Self {
        self.parts.conversation_id = fields::bounded(id);
        self
    }

    /// Sets the turn within the conversation.
    pub const fn turn(mut self, turn: u32) -> Self {
        self.parts.turn = Some(turn);
        self
    }

    /// Sets the run's identifier.
    pub fn run(mut self, id: impl Into<String>) -> Self {
        self.parts.run_id = fields::bounded(id);
        self
    }

    /// Sets the tenant's identifier.
    pub fn tenant(mut self, id: impl Into<String>) -> Self {
        self.parts.tenant_id = fields::bounded(id);
        self
    }

    /// Sets the environment: `prod`, `staging`.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.parts.environment = fields::bounded(name);
        self
    }

    /// Sets why the agent acts.
    pub const fn trigger(mut self, trigger: Trigger) -> Self {
        self.parts.trigger = Some(trigger);
        self
    }

    /// Sets the trace and the span that the caller is in, by a W3C `traceparent`. One that is not valid sets nothing.
    pub fn traceparent(mut self, traceparent: &str) -> Self {
        self.parts.trace = Trace::parse(traceparent).or(self.parts.trace);
        self
    }

    /// Sets the MCP request that the calls answer.
    pub fn mcp(mut self, request: Mcp) -> Self {
        self.parts.mcp = Some(request);
        self
    }

    /// Watches for an audited call of the tool inside this context, for adapters that record what never reaches one.
    pub fn watch(mut self, tool: impl Into<String>) -> (Self, Watch) {
        let watched = Arc::new(Watched { tool: tool.into(), reached: AtomicBool::new(false) });
        self.ambient.set_watch(Arc::clone(&watched));
        (self, Watch(watched))
    }

    /// Sets the model's identifier of the tool call that is about to be executed. Calls nested inside that call do not
    /// inherit it: they were not asked for by the model.
    pub fn tool_call_id(mut self, id: impl Into<String>) -> Self {
        self.ambient.set_tool_call_id(fields::bounded(id));
        self
    }

    /// Runs a future in this context, on whatever thread it is polled.
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        Scoped { ambient: self.into_ambient(), future: Some(future) }
    }

    /// Runs a closure in this context.
    pub fn in_scope<R>(self, body: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        body()
    }

    /// Enters this context on the current thread until the guard is dropped. Do not hold the guard across an `await`:
    /// use [`scope`](Self::scope) there.
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter(self) -> ContextGuard {
        ContextGuard { _entered: self.into_ambient().enter_here(), _not_send: PhantomData }
    }

    fn into_ambient(self) -> Ambient {
        self.ambient.with_fields(Arc::new(Fields::new(self.parts)))
    }
}

/// Tells whether an audited call of the watched tool has begun, even if it was then refused or ran unrecorded.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Watched>);

impl Watch {
    /// Returns true once the call has begun.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.0.reached.load(Ordering::Acquire)
    }
}

/// Leaves the context when it is dropped.
#[must_use = "the context is left when the guard is dropped"]
pub struct ContextGuard {
    _entered: Entered,
    _not_send: PhantomData<*const ()>,
}

impl fmt::Debug for ContextGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextGuard").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future that is polled, and dropped, in a context of its own.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Scoped<F> {
        ambient: Ambient,
        // `None` only while it is dropped: what the future cleans up then belongs to the context, too.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.ambient.clone().enter_here();
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut core::task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.ambient.clone().enter_here();
        this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(context))
    }
}
