//! What a call returns when it may not run unrecorded.

use core::fmt;
use core::panic::Location;
use std::borrow::Cow;

use crate::sink::AppendError;

/// The call was refused because its record could not be made: no log is open, or the log does not accept it.
///
/// An audited function with the policy `deny` returns `Err(E::from(unavailable))`; its error type implements
/// `From<Unavailable>`.
#[derive(Clone, Debug)]
pub struct Unavailable {
    action: Cow<'static, str>,
    cause: Option<AppendError>,
}

impl Unavailable {
    pub(crate) const fn new(action: Cow<'static, str>, cause: Option<AppendError>) -> Self {
        Self { action, cause }
    }

    /// Returns the action that was refused.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Says the same of a call that ran all the same.
    pub(crate) fn counted(&self) -> String {
        let why = if self.cause.is_none() { "no audit log is open" } else { "the audit log does not accept it" };
        format!("`{}` ran, and {why}", self.action)
    }

    /// Tells whether there is no log at all, rather than one that does not accept the record.
    #[must_use]
    pub const fn is_without_log(&self) -> bool {
        self.cause.is_none()
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = &self.action;
        match &self.cause {
            None => write!(f, "`{action}` was refused: it must be recorded and no audit log is open"),
            Some(_) => write!(f, "`{action}` was refused: it must be recorded and the audit log does not accept it"),
        }
    }
}

impl std::error::Error for Unavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// A return type through which a call can be refused; implemented for `Result<_, E>` where `E: From<Unavailable>`.
#[diagnostic::on_unimplemented(
    message = "an audited call that cannot be recorded has no way to be refused through `{Self}`",
    label = "expected a `Result` whose error implements `From<audited::Unavailable>`",
    note = "a destructive tool (`effect = \"destructive\"`, or rmcp's `destructive_hint`) is refused when it cannot be recorded",
    note = "return a `Result<_, E>` with `E: From<audited::Unavailable>`, or say what is to happen instead:",
    note = "`on_unavailable = |u| expr` returns the value of `expr`, such as an error of another crate made of `u.to_string()`",
    note = "`on_unavailable = \"panic\"` panics",
    note = "`on_unavailable = \"count\"` runs the tool unrecorded and states the gap in the log later"
)]
pub trait Deny: Sized {
    /// Makes the value that tells the caller that the call was refused.
    fn deny(unavailable: Unavailable) -> Self;
}

// Without this the compiler would suggest `From` alone and not tell the other choices.
#[diagnostic::do_not_recommend]
impl<T, E: From<Unavailable>> Deny for Result<T, E> {
    fn deny(unavailable: Unavailable) -> Self {
        Err(E::from(unavailable))
    }
}

/// Refuses a call by panicking, as its attribute asked for.
#[track_caller]
pub(crate) fn panic(unavailable: &Unavailable) -> ! {
    let cause = std::error::Error::source(unavailable).map(|cause| format!(": {cause}")).unwrap_or_default();
    let text = format!("{unavailable}{cause}, at {}", Location::caller());
    #[expect(clippy::panic, reason = "the function's owner chose `on_unavailable = \"panic\"`")]
    {
        panic!("{text}")
    }
}
