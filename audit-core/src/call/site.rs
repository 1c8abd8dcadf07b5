//! The descriptor of an audited function, made at compile time.

use core::time::Duration;

use crate::redact::Path;
use crate::vocabulary::{Durability, Effect, Level, Stages, Telemetry};

/// An audited function: everything about it that does not change from call to call.
#[derive(Debug)]
pub struct Site {
    /// What is done, in the business' words.
    pub action: &'static str,
    /// The tool's name.
    pub tool: &'static str,
    /// What the tool does to the world.
    pub effect: Effect,
    /// How much is recorded.
    pub level: Level,
    /// What the call's span shows of arguments and result.
    pub telemetry: Telemetry,
    /// Which records a call leaves.
    pub stages: Stages,
    /// What each record must survive before the call goes on; `None` leaves it to the log.
    pub durability: Option<Durability>,
    /// How long each record may wait for room in the log, and for the disk where that is demanded, before the call counts
    /// as one that cannot be recorded; `None` leaves it to the log.
    pub append_timeout: Option<Duration>,
    /// What happens when a call cannot be recorded.
    pub on_unavailable: OnUnavailable,
    /// The names of the parameters, as they are recorded.
    pub parameters: &'static [&'static str],
    /// What each parameter is called where its pattern takes it from: `password` of `Login { password: typed }`, the
    /// parameter's own name outside of patterns.
    pub fields: &'static [&'static str],
    /// What is removed from arguments, result and error text.
    pub redact: &'static [Path],
    /// The parts of the result that its summary is made of; none leaves it to the rule.
    pub summary: &'static [Path],
    /// The site as one line of text that can be found in the binary: see [`sites`](crate::sites).
    pub census: &'static str,
}

impl Site {
    /// Returns the site of calls that no attribute describes: what they say of themselves are arguments of no name.
    pub(crate) const fn undescribed(effect: Effect) -> Self {
        Self {
            action: "",
            tool: "",
            effect,
            level: Level::Request,
            telemetry: Telemetry::Names,
            stages: Stages::StartedCompleted,
            durability: None,
            append_timeout: None,
            on_unavailable: OnUnavailable::Count,
            parameters: &[],
            fields: &[],
            redact: &[],
            summary: &[],
            census: "",
        }
    }
}

/// A function that is not audited on purpose.
#[derive(Debug)]
pub struct Exemption {
    /// The tool's name.
    pub tool: &'static str,
    /// Why.
    pub reason: &'static str,
    /// The exemption as one line of text that can be found in the binary.
    pub census: &'static str,
}

/// What happens when a call cannot be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnUnavailable {
    /// The function returns what its policy says, without running its body.
    Return,
    /// The body runs; the call is counted.
    Count,
    /// The function panics.
    Panic,
}
