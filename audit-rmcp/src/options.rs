//! What is said of one tool beyond what the server says of it.

use audit_core::vocabulary::{Effect, Level};

/// How the calls of one tool are recorded.
///
/// Of a tool whose function is `#[audited]` the attribute decides; this says then how calls are recorded that never
/// reach the function.
#[derive(Clone, Debug, Default)]
pub struct ToolOptions {
    pub(crate) action: Option<String>,
    pub(crate) effect: Option<Effect>,
    pub(crate) level: Option<Level>,
    pub(crate) redact: Vec<String>,
    pub(crate) function: Option<String>,
    pub(crate) exempt: Option<String>,
}

impl ToolOptions {
    /// Begins with the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the action. The default is `mcp.<tool>`.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Sets what the tool does to the world. The default comes from its annotations: `readOnlyHint` makes it a read,
    /// a written `destructiveHint` makes it destructive, anything else is a write.
    #[must_use]
    pub const fn effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Sets how much is recorded. The default is the arguments and a summary of the result.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Removes these parts of the arguments and the result, besides everything that is called like a secret: `card`,
    /// `customer.ssn`, `items[].token`, `return.email`, `error`. A path begins with a member of the arguments, as it is
    /// named in JSON. What the tool does not take is then removed as well.
    #[must_use]
    pub fn redact<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.redact.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Names the audited function that does the work, by the name that it records itself under, where that is not the
    /// tool's. A name that no audited function has says that there is none.
    #[must_use]
    pub fn function(mut self, name: impl Into<String>) -> Self {
        self.function = Some(name.into());
        self
    }

    /// Leaves the tool's calls unrecorded, for this reason. An empty reason exempts nothing, and neither does any reason
    /// a destructive tool.
    #[must_use]
    pub fn exempt(mut self, reason: impl Into<String>) -> Self {
        self.exempt = Some(reason.into()).filter(|reason: &String| !reason.trim().is_empty());
        self
    }
}
