//! The adapter: a service that stands around a server.

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;

use audit_core::context::baggage::Carried;
use audit_core::context::{Context, context};
use audit_core::sites::{AuditedSite, sites};
use rmcp::model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult, Tool};
use rmcp::service::{NotificationContext, RequestContext, Service};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::asked::Asked;
use crate::options::ToolOptions;

type Find<S> = Box<dyn Fn(&S, &str) -> Option<Tool> + Send + Sync>;
type IsDisabled<S> = Box<dyn Fn(&S, &str) -> bool + Send + Sync>;
type ContextOf = Box<dyn Fn(&RequestContext<RoleServer>) -> Context + Send + Sync>;
type Session = Box<dyn Fn(&RequestContext<RoleServer>) -> Option<String> + Send + Sync>;

/// A server whose tool calls are all recorded.
///
/// It is served as the server itself would be. Everything but tool calls passes through untouched.
pub struct Audited<S> {
    pub(crate) server: S,
    pub(crate) find: Find<S>,
    pub(crate) is_disabled: IsDisabled<S>,
    pub(crate) session: Session,
    pub(crate) context: ContextOf,
    /// What is taken from the request's baggage.
    pub(crate) carried: Vec<Carried>,
    pub(crate) tools: BTreeMap<String, ToolOptions>,
    /// What is said of all other tools.
    pub(crate) defaults: ToolOptions,
    /// The audited functions of the program by the name of their tool.
    pub(crate) sites: BTreeMap<String, Vec<AuditedSite>>,
    pub(crate) drop_cancelled: bool,
}

impl<S> fmt::Debug for Audited<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tools, drop_cancelled, .. } = self;
        f.debug_struct("Audited").field("tools", tools).field("drop_cancelled", drop_cancelled).finish_non_exhaustive()
    }
}

impl<S: ServerHandler> Audited<S> {
    /// Stands around a server; its tools' annotations come from [`ServerHandler::get_tool`].
    #[must_use]
    pub fn new(server: S) -> Self {
        Self::with_tools(server, |server, tool| server.get_tool(tool))
    }
}

impl<S: Service<RoleServer>> Audited<S> {
    /// Stands around any service, such as rmcp's `Router`; the closure finds a tool by its name.
    #[must_use]
    pub fn with_tools(service: S, find: impl Fn(&S, &str) -> Option<Tool> + Send + Sync + 'static) -> Self {
        let mut by_tool = BTreeMap::<String, Vec<AuditedSite>>::new();
        for site in sites().sites {
            by_tool.entry(site.tool.clone()).or_default().push(site);
        }
        Self {
            server: service,
            find: Box::new(find),
            is_disabled: Box::new(|_, _| false),
            session: Box::new(|_| None),
            context: Box::new(|_| context()),
            carried: Vec::new(),
            tools: BTreeMap::new(),
            defaults: ToolOptions::new(),
            sites: by_tool,
            drop_cancelled: false,
        }
    }

    /// Says how the calls of one tool are recorded; the last word counts.
    #[must_use]
    pub fn tool(mut self, name: impl Into<String>, options: ToolOptions) -> Self {
        self.tools.insert(name.into(), options);
        self
    }

    /// Tells disabled tools from unknown ones, between which rmcp's answer makes no difference:
    /// `.disabled(|server, tool| server.tool_router.is_disabled(tool))`.
    #[must_use]
    pub fn disabled(mut self, is_disabled: impl Fn(&S, &str) -> bool + Send + Sync + 'static) -> Self {
        self.is_disabled = Box::new(is_disabled);
        self
    }

    /// Says what session a request belongs to; of the streamable HTTP transport that is `http_session`.
    #[must_use]
    pub fn session(
        mut self,
        session: impl Fn(&RequestContext<RoleServer>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.session = Box::new(session);
        self
    }

    /// Says who acts and for whom, from what is known of a request: its transport's authentication, the client's name.
    ///
    /// rmcp runs each request in a task of its own, so a context that was set around the server is not at work there.
    #[must_use]
    pub fn context(mut self, of: impl Fn(&RequestContext<RoleServer>) -> Context + Send + Sync + 'static) -> Self {
        self.context = Box::new(of);
        self
    }

    /// Takes these identifiers from the request's `_meta.baggage`, where [`context`](Self::context) does not set them: what
    /// a client claims. None are taken unless this says so; its `_meta.traceparent` always counts.
    #[must_use]
    pub fn baggage(mut self, allowed: impl IntoIterator<Item = Carried>) -> Self {
        self.carried = allowed.into_iter().collect();
        self
    }

    /// Drops the future of a tool once the client cancels the request, which is recorded as `cancelled`.
    ///
    /// rmcp itself lets the tool run to its end and throws the answer away. Then the call is recorded as it ended; a tool
    /// recorded here, not by its own attribute, that fails after the request was cancelled is `cancelled`, too.
    #[must_use]
    pub const fn drop_cancelled(mut self) -> Self {
        self.drop_cancelled = true;
        self
    }

    /// Returns the tools that are exempt from the log, each with the reason.
    pub fn exemptions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tools.iter().filter_map(|(name, options)| Some((name.as_str(), options.exempt.as_deref()?)))
    }
}

impl<S: Service<RoleServer>> Service<RoleServer> for Audited<S> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        match Asked::of(&request) {
            Some(asked) => Box::pin(self.call(asked, request, context)).await,
            None => self.server.handle_request(request, context).await,
        }
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.server.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        self.server.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.server.supported_protocol_versions()
    }
}
