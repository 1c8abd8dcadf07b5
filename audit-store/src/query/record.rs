//! What readers need of a record, borrowed from its line; members they do not know are passed over.

use core::fmt;
use core::ops::Deref;
use std::borrow::Cow;

use audit_core::vocabulary::{Stage, Status};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A text of a record, borrowed from the line unless it holds escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What filters and reports compare of a record.
#[derive(Clone, Debug, Deserialize)]
pub struct Record<'a> {
    /// What happened.
    #[serde(borrow)]
    pub event_name: Text<'a>,
    /// The step in the call's life, as written; see [`stage`](Self::stage).
    #[serde(borrow)]
    pub stage: Text<'a>,
    /// When it happened, RFC 3339.
    #[serde(borrow)]
    pub time: Text<'a>,
    /// What was done, in the business' words.
    #[serde(borrow)]
    pub action: Text<'a>,
    /// How it ended.
    #[serde(borrow)]
    pub outcome: Outcome<'a>,
    /// Who acted.
    #[serde(borrow, default)]
    pub actor: Actor<'a>,
    /// The call that the record belongs to.
    #[serde(borrow)]
    pub call: Option<Call<'a>>,
    /// What was executed.
    #[serde(borrow)]
    pub operation: Option<Operation<'a>>,
    /// The run and conversation that the record belongs to.
    #[serde(borrow, default)]
    pub correlation: Correlation<'a>,
}

/// What a record means for the call that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The call begins.
    Begins,
    /// The call is over; without a beginning, this record is the whole call.
    Ends,
    /// The call was refused before it began.
    Refused,
}

impl Record<'_> {
    /// Returns the stage, if this version knows it.
    #[must_use]
    pub fn stage(&self) -> Option<Stage> {
        Stage::parse(&self.stage)
    }

    /// Returns the call's id and what the record means for the call; agent and log events mean nothing for one.
    #[must_use]
    pub fn step(&self) -> Option<(&str, Step)> {
        let step = match self.stage()? {
            Stage::Started => Step::Begins,
            Stage::Denied => Step::Refused,
            stage if stage.ends_call() => Step::Ends,
            _ => return None,
        };
        Some((&self.call.as_ref()?.id, step))
    }

    /// Returns the name of the tool.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.operation.as_ref()?.tool.as_ref()?.name.as_deref()
    }

    /// Returns the id of the agent that acted, or of the system where no agent did.
    #[must_use]
    pub fn agent(&self) -> Option<&str> {
        self.actor.agent.as_ref().or(self.actor.system.as_ref()).map(|identity| &*identity.id)
    }

    /// Returns the id of the user on whose behalf the agent acted.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.actor.on_behalf_of.as_ref().map(|identity| &*identity.id)
    }
}

/// How a record's call or event ended.
#[derive(Clone, Debug, Deserialize)]
pub struct Outcome<'a> {
    /// The status as written; see [`status`](Self::status).
    #[serde(borrow)]
    pub status: Text<'a>,
    /// The kind of error.
    #[serde(borrow)]
    pub error_type: Option<Text<'a>>,
    /// The error's text.
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
}

impl Outcome<'_> {
    /// Returns the status, if this version knows it.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        Status::parse(&self.status)
    }

    /// Returns the kind of error and its text, as far as there are any.
    #[must_use]
    pub fn explanation(&self) -> Option<String> {
        match (&self.error_type, &self.reason) {
            (Some(error_type), Some(reason)) => Some(format!("{error_type}: {reason}")),
            (Some(text), None) | (None, Some(text)) => Some(text.to_string()),
            (None, None) => None,
        }
    }
}

/// Who acted.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Actor<'a> {
    /// The agent.
    #[serde(borrow)]
    pub agent: Option<Identity<'a>>,
    /// The user for whom the agent acted.
    #[serde(borrow)]
    pub on_behalf_of: Option<Identity<'a>>,
    /// The system that acted without an agent.
    #[serde(borrow)]
    pub system: Option<Identity<'a>>,
    /// The model that decided.
    #[serde(borrow)]
    pub model: Option<Model<'a>>,
}

/// An agent, user or system.
#[derive(Clone, Debug, Deserialize)]
pub struct Identity<'a> {
    /// Its identifier.
    #[serde(borrow)]
    pub id: Text<'a>,
}

/// A model.
#[derive(Clone, Debug, Deserialize)]
pub struct Model<'a> {
    /// Who offers it.
    #[serde(borrow)]
    pub provider: Option<Text<'a>>,
    /// Its name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
}

/// The call that a record belongs to.
#[derive(Clone, Debug, Deserialize)]
pub struct Call<'a> {
    /// The call's identifier.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// The call within which it was made.
    #[serde(borrow)]
    pub parent_id: Option<Text<'a>>,
    /// When it began, RFC 3339.
    #[serde(borrow)]
    pub start_time: Option<Text<'a>>,
    /// How long it took, in nanoseconds.
    #[serde(default, deserialize_with = "integer")]
    pub duration_ns: Option<u64>,
}

/// What was executed.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation<'a> {
    /// The tool.
    #[serde(borrow)]
    pub tool: Option<Tool<'a>>,
}

/// The function or MCP tool that was executed.
#[derive(Clone, Debug, Deserialize)]
pub struct Tool<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
}

/// What a record belongs to.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Correlation<'a> {
    /// The run.
    #[serde(borrow)]
    pub run_id: Option<Text<'a>>,
    /// The conversation.
    #[serde(borrow)]
    pub conversation_id: Option<Text<'a>>,
    /// The turn of the conversation.
    #[serde(default, deserialize_with = "integer")]
    pub turn: Option<u64>,
}

/// Reads an integer; one beyond ±(2^53−1) is written as text.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Integer {
        Number(u64),
        Text(String),
    }
    match Option::<Integer>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Integer::Number(number)) => Ok(Some(number)),
        Some(Integer::Text(text)) => text.parse().map(Some).map_err(D::Error::custom),
    }
}
