//! Outcome: from what a function returned to success or failure, without a bound on the user.
//!
//! Method look-up on a [`Probe`](crate::capture::Probe) decides by the type, as in [`capture`](crate::capture), so that
//! aliases of `Result` are recognised too. A type of one's own says how its call ended by implementing [`Outcome`].

mod error;
mod members;
mod returned;

use crate::vocabulary::{Applied, Effect, EventName, Status};

pub use error::{ErrorFacts, Facts};
pub(crate) use members::{code, first_text, is_error};
pub use returned::{Apart, Returned, Stated, States};

/// The `error_type` of a result that says of itself that it is an error.
pub(crate) const TOOL_ERROR: &str = "tool_error";

/// Says how the call that returned this value ended, where `Ok`, `Err` and `isError` do not tell.
///
/// It is asked of the value of success, of the error, and of a returned value that is no `Result`.
///
/// ```
/// use audit_core::{Conclusion, Outcome};
///
/// enum Reply { Sent, Queued, Bounced { address: String } }
///
/// impl Outcome for Reply {
///     fn outcome(&self) -> Conclusion {
///         match self {
///             Self::Sent => Conclusion::success(),
///             Self::Queued => Conclusion::unknown().reason("queued"),
///             Self::Bounced { .. } => Conclusion::failure("bounced").code("550"),
///         }
///     }
/// }
/// ```
pub trait Outcome {
    /// Returns how the call ended.
    fn outcome(&self) -> Conclusion;
}

/// How a call ended: the record's `outcome`, as far as it is not told by the call itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a conclusion is what `Outcome::outcome` or the closure of `outcome` returns"]
pub struct Conclusion {
    pub(crate) status: Status,
    pub(crate) effect: Option<Applied>,
    pub(crate) error_type: Option<String>,
    /// The name of the error's type, which shows no value: where the error type cannot be shown, and in its absence.
    pub(crate) type_name: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) succeeded: Option<u64>,
    pub(crate) failed: Option<u64>,
}

impl Conclusion {
    const fn new(status: Status) -> Self {
        let (error_type, type_name, code, reason) = (None, None, None, None);
        Self { status, effect: None, error_type, type_name, code, reason, succeeded: None, failed: None }
    }

    /// The call did what it was asked to.
    pub const fn success() -> Self {
        Self::new(Status::Success)
    }

    /// The call failed with an error of this type: `"bounced"`.
    pub fn failure(error_type: impl Into<String>) -> Self {
        Self { error_type: Some(error_type.into()), ..Self::new(Status::Failure) }
    }

    /// The call failed in a way that we name ourselves.
    pub(crate) fn known_failure(type_name: &str) -> Self {
        Self { type_name: Some(type_name.to_owned()), ..Self::new(Status::Failure) }
    }

    /// The call did some of what it was asked to: how many of its parts succeeded, and how many failed.
    pub const fn partial(succeeded: u64, failed: u64) -> Self {
        let mut conclusion = Self::new(Status::Partial);
        conclusion.succeeded = Some(succeeded);
        conclusion.failed = Some(failed);
        conclusion
    }

    /// Nobody can tell yet.
    pub const fn unknown() -> Self {
        Self::new(Status::Unknown)
    }

    /// Sets what was done to the world. Unless set: nothing by a read, what the status says by anything else.
    pub const fn effect(mut self, effect: Applied) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Sets the error's code, as the tool's own protocol has it: `"550"`.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Sets why, in words. What was removed from the call's arguments is removed from it, too.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Names the record of an end and says what was done to the world, where the function does not state it: what a tool may
/// change is a side effect once it has succeeded, if only in part.
pub(crate) fn end(tool: Effect, status: Status, stated: Option<Applied>) -> (EventName, Applied) {
    let effect = stated.unwrap_or(match (tool, status) {
        (Effect::Read, _) => Applied::None,
        (Effect::Write | Effect::Destructive, Status::Success) => Applied::Applied,
        (Effect::Write | Effect::Destructive, Status::Partial) => Applied::PartiallyApplied,
        (Effect::Write | Effect::Destructive, Status::Failure | Status::Unknown) => Applied::Unknown,
    });
    let event = match (status, effect) {
        (Status::Failure, _) => EventName::ToolFailed,
        (Status::Success | Status::Partial, Applied::Applied | Applied::PartiallyApplied) => {
            EventName::SideEffectApplied
        }
        (Status::Success | Status::Partial | Status::Unknown, _) => EventName::ToolCompleted,
    };
    (event, effect)
}

impl From<Status> for Conclusion {
    fn from(status: Status) -> Self {
        Self::new(status)
    }
}

/// `true` is success, `false` a failure.
impl From<bool> for Conclusion {
    fn from(succeeded: bool) -> Self {
        Self::new(if succeeded { Status::Success } else { Status::Failure })
    }
}
