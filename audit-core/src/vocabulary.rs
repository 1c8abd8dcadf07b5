//! The words of the record: stages, event names, effects, levels, outcomes.
//!
//! Each enum is written in JSON, on the command line and in the attribute with the one text that `as_str` returns.

use core::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the text that stands for this value in a record.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Returns the value that the text stands for.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// A step in a call's life.
    Stage {
        /// The call was recorded and its body is about to run.
        Started = "started",
        /// The call reports how far it is.
        Progress = "progress",
        /// The call waits for more input.
        InputRequired = "input_required",
        /// The call was put off.
        Deferred = "deferred",
        /// The body returned.
        Completed = "completed",
        /// The call was refused before its body ran.
        Denied = "denied",
        /// The call's future was dropped before its end.
        Cancelled = "cancelled",
        /// The body panicked.
        Panicked = "panicked",
        /// The process ended while the call was open.
        Abandoned = "abandoned",
        /// The agent proposed an action.
        Proposed = "proposed",
        /// A check passed or failed.
        Checked = "checked",
        /// Approval was asked for.
        ApprovalRequested = "approval_requested",
        /// Approval was given.
        ApprovalGranted = "approval_granted",
        /// Approval was refused.
        ApprovalRejected = "approval_rejected",
        /// Approval did not come in time.
        ApprovalExpired = "approval_expired",
        /// An event outside the life of one call.
        Event = "event",
    }
}

impl Stage {
    /// Tells whether a started call is over with a record of this stage.
    #[must_use]
    pub const fn ends_call(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Panicked | Self::Abandoned)
    }
}

/// Who may write a record of an event name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The program, through `audited::event`.
    Program,
    /// The call protocol alone: the beginning and the ends of an audited call.
    Call,
    /// The log alone: what happens to the log itself.
    Log,
}

macro_rules! event_names {
    ($($variant:ident = $text:literal, $stage:ident, $writer:ident;)+) => {
        words! {
            /// What happened, in the words of schema 1; each name belongs to one [`Stage`].
            EventName { $(#[doc = concat!("`", $text, "`")] $variant = $text,)+ }
        }

        impl EventName {
            /// Returns the stage of every record with this event name.
            #[must_use]
            pub const fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)+ }
            }

            /// Returns who may write records with this event name.
            #[must_use]
            pub const fn writer(self) -> Writer {
                match self { $(Self::$variant => Writer::$writer,)+ }
            }
        }
    };
}

event_names! {
    RunCreated = "run.created", Event, Program;
    InputResolved = "input.resolved", Event, Program;
    RetrievalCompleted = "retrieval.completed", Event, Program;
    RunCompleted = "run.completed", Event, Program;
    RunFailed = "run.failed", Event, Program;
    DecisionProposed = "decision.proposed", Proposed, Program;
    ValidationPassed = "validation.passed", Checked, Program;
    ValidationFailed = "validation.failed", Checked, Program;
    ApprovalRequested = "approval.requested", ApprovalRequested, Program;
    ApprovalGranted = "approval.granted", ApprovalGranted, Program;
    ApprovalRejected = "approval.rejected", ApprovalRejected, Program;
    ApprovalExpired = "approval.expired", ApprovalExpired, Program;
    ToolCalled = "tool.called", Started, Call;
    ToolProgress = "tool.progress", Progress, Program;
    ToolCompleted = "tool.completed", Completed, Call;
    SideEffectApplied = "side_effect.applied", Completed, Call;
    ToolFailed = "tool.failed", Completed, Call;
    SideEffectBlocked = "side_effect.blocked", Denied, Program;
    ToolInputRequired = "tool.input_required", InputRequired, Program;
    ToolDeferred = "tool.deferred", Deferred, Program;
    ToolCancelled = "tool.cancelled", Cancelled, Call;
    ToolPanicked = "tool.panicked", Panicked, Call;
    ToolAbandoned = "tool.abandoned", Abandoned, Log;
    LogOpened = "log.opened", Event, Log;
    LogClosed = "log.closed", Event, Log;
    LogRecovered = "log.recovered", Event, Log;
    LogHeartbeat = "log.heartbeat", Event, Log;
    LogRead = "log.read", Event, Log;
    KeyRotated = "key.rotated", Event, Log;
    AnchorAdded = "anchor.added", Event, Log;
    AnchorFailed = "anchor.failed", Event, Log;
    RecordsDropped = "records.dropped", Event, Log;
    ClockStepped = "clock.stepped", Event, Log;
    PolicyLoaded = "policy.loaded", Event, Log;
    AlertRaised = "alert.raised", Event, Program;
    SegmentPruned = "segment.pruned", Event, Log;
    HoldPlaced = "hold.placed", Event, Log;
    HoldLifted = "hold.lifted", Event, Log;
    SubjectErased = "subject.erased", Event, Log;
    EmergencyStarted = "emergency.started", Event, Program;
    EmergencyEnded = "emergency.ended", Event, Program;
}

words! {
    /// What a tool does to the world.
    Effect {
        /// It only reads.
        Read = "read",
        /// It changes something that can be changed back. The default.
        Write = "write",
        /// It changes something for good.
        Destructive = "destructive",
    }
}

words! {
    /// How much of a call is recorded.
    Level {
        /// No arguments and no result.
        Metadata = "metadata",
        /// The arguments and a summary of the result. The default.
        Request = "request",
        /// The arguments and the whole result.
        RequestResponse = "request_response",
    }
}

words! {
    /// What the span of a call shows of its arguments and result: never more than the record holds of them, from which
    /// everything that is to be removed is removed.
    Telemetry {
        /// Neither, but for the summary of the result. The default.
        Names = "names",
        /// Their structure, their numbers and truth values; each text in them is masked.
        RedactedArguments = "redacted_arguments",
        /// All that the record holds of them.
        Arguments = "arguments",
    }
}

words! {
    /// Which records a call leaves.
    Stages {
        /// One before the body runs and one after it. The default.
        StartedCompleted = "started_completed",
        /// One after the body, for cheap reads.
        Completed = "completed",
    }
}

words! {
    /// What a record must have survived before the call goes on.
    Durability {
        /// The process being killed: the record is with the kernel.
        Os = "os",
        /// The machine losing power: the record is on the disk.
        Disk = "disk",
    }
}

words! {
    /// How a call or event ended.
    Status {
        /// It did what it should.
        Success = "success",
        /// It did not.
        Failure = "failure",
        /// It did some of it.
        Partial = "partial",
        /// Nobody can tell, or not yet.
        Unknown = "unknown",
    }
}

words! {
    /// What a call did to the world.
    Applied {
        /// Nothing.
        None = "none",
        /// All of it.
        Applied = "applied",
        /// Some of it.
        PartiallyApplied = "partially_applied",
        /// Nobody can tell.
        Unknown = "unknown",
    }
}

words! {
    /// Why the agent acted.
    Trigger {
        /// A person asked for it.
        UserRequest = "user_request",
        /// The agent acted of its own accord.
        Proactive = "proactive",
        /// An earlier attempt failed.
        Retry = "retry",
        /// An earlier step called for it.
        FollowUp = "follow_up",
        /// The system itself asked for it.
        System = "system",
    }
}
