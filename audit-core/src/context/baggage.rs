//! Who acts, for whom and in which run, passed on between processes as W3C baggage: only what a list allows.
//!
//! ```text
//! baggage: audit.run.id=run_01HZX,gen_ai.agent.id=agent%3Asupport-7,user.id=usr_98765
//! ```
//! What comes in baggage is what its sender claims: allow it only from those you trust to know.

use super::Context;
use super::fields::bounded;
use crate::names;

/// How much of a header is read: the most that W3C Baggage has every platform pass on.
const HEADER_BYTES_MAX: usize = 8_192;

/// An identifier that baggage may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Carried {
    /// The run's, as `audit.run.id`.
    Run,
    /// The agent's, as `gen_ai.agent.id`.
    Agent,
    /// The user's on whose behalf the agent acts, as `user.id`.
    User,
}

impl Carried {
    /// Returns the key in the baggage.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Run => names::RUN_ID,
            Self::Agent => names::AGENT_ID,
            Self::User => names::USER_ID,
        }
    }
}

impl Context {
    /// Takes those identifiers from a W3C `baggage` that the list allows. What is malformed, or not in the list, is passed
    /// over.
    ///
    /// ```
    /// use audit_core::context::{baggage::Carried, context};
    ///
    /// let context = context().baggage("audit.run.id=run_1,user.id=usr_1;p=1", &[Carried::Run]);
    /// assert_eq!(context.to_baggage(&[Carried::Run, Carried::User]), "audit.run.id=run_1");
    /// ```
    pub fn baggage(mut self, header: &str, allowed: &[Carried]) -> Self {
        for (carried, value) in header.get(..HEADER_BYTES_MAX).unwrap_or(header).split(',').filter_map(member) {
            if allowed.contains(&carried) {
                *self.carried(carried) = bounded(value);
            }
        }
        self
    }

    /// Writes those identifiers of this context as W3C `baggage` that the list allows; empty if there are none.
    #[must_use]
    pub fn to_baggage(&self, allowed: &[Carried]) -> String {
        let mut header = String::new();
        for carried in allowed {
            let parts = &self.parts;
            let value = match carried {
                Carried::Run => &parts.run_id,
                Carried::Agent => &parts.agent.id,
                Carried::User => &parts.user.id,
            };
            if let Some(value) = value {
                let comma = if header.is_empty() { "" } else { "," };
                header.push_str(&format!("{comma}{}={}", carried.key(), encoded(value)));
            }
        }
        header
    }

    const fn carried(&mut self, carried: Carried) -> &mut Option<String> {
        match carried {
            Carried::Run => &mut self.parts.run_id,
            Carried::Agent => &mut self.parts.agent.id,
            Carried::User => &mut self.parts.user.id,
        }
    }
}

/// Reads one member of the list; properties behind it are of no interest here.
fn member(text: &str) -> Option<(Carried, String)> {
    let (key, value) = text.split(';').next()?.split_once('=')?;
    let carried = [Carried::Run, Carried::Agent, Carried::User].into_iter().find(|one| one.key() == key.trim())?;
    let value = decoded(value.trim())?;
    (!value.is_empty()).then_some((carried, value))
}

fn decoded(value: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(value.len()), value);
    while let Some((plain, after)) = rest.split_once('%') {
        let (digits, more) = after.split_at_checked(2)?;
        bytes.extend_from_slice(plain.as_bytes());
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = more;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::context;

    const ALL: [Carried; 3] = [Carried::Run, Carried::Agent, Carried::User];

    #[test]
    fn identifiers_come_through_as_they_were_and_only_if_allowed() {
        let context = context().run("run 1").agent("agent:é,;=%").on_behalf_of("usr_1");
        let header = context.to_baggage(&ALL);
        assert_eq!(header, "audit.run.id=run%201,gen_ai.agent.id=agent%3A%C3%A9%2C%3B%3D%25,user.id=usr_1");
        assert_eq!(super::super::context().baggage(&header, &ALL).to_baggage(&ALL), header);
        assert_eq!(super::super::context().baggage(&header, &[Carried::User]).to_baggage(&ALL), "user.id=usr_1");
        assert_eq!(context.to_baggage(&[]), "");
        assert_eq!(super::super::context().baggage(&header, &[]).to_baggage(&ALL), "");
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        let read = |header: &str| context().baggage(header, &ALL).to_baggage(&ALL);
        assert_eq!(read(" user.id = a ; p=1 , other=b,audit.run.id,gen_ai.agent.id=%zz"), "user.id=a");
        assert_eq!((read("user.id="), read(""), read("user.id=%ff")), (String::new(), String::new(), String::new()));
    }
}
