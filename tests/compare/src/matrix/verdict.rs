//! What the log, the spans or the lines of a run say of an attribute.

use serde_json::{Value, json};

use super::column::{self, Column, Form};
use super::compile::Refused;
use super::shape::Shape;

/// How an attribute did on a shape.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// All that the attribute can take was recorded.
    Ok,
    /// The crate has nothing for this shape.
    NoForm,
    /// It does not compile.
    DoesNotCompile(String),
    /// It compiles with a warning.
    Warns(String),
    /// The function does something else under the attribute.
    Broken(String),
    /// Not all calls were recorded.
    Lost(String),
    /// The span was closed, or the line was written, before the body ran.
    Early,
    /// Something is missing in what was recorded, or is wrong.
    Incomplete(String),
}

impl From<Refused> for Verdict {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoForm => Self::NoForm,
            Refused::Error(message) => Self::DoesNotCompile(message),
            Refused::Warning(message) => Self::Warns(message),
        }
    }
}

impl Verdict {
    /// The verdict in a word.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoForm => "no form",
            Self::DoesNotCompile(_) => "does not compile",
            Self::Warns(_) => "warns",
            Self::Broken(_) => "broken",
            Self::Lost(_) => "lost",
            Self::Early => "early",
            Self::Incomplete(_) => "incomplete",
        }
    }

    /// What exactly is the matter.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Self::DoesNotCompile(text)
            | Self::Warns(text)
            | Self::Broken(text)
            | Self::Lost(text)
            | Self::Incomplete(text) => Some(text),
            Self::Ok | Self::NoForm | Self::Early => None,
        }
    }

    /// True if the function could be built with the attribute, whatever came of it.
    pub(crate) const fn compiles(&self) -> bool {
        !matches!(self, Self::NoForm | Self::DoesNotCompile(_) | Self::Warns(_))
    }

    /// Judges what a probe has seen.
    pub(crate) fn of(column: Column, form: Form, shape: &Shape, seen: &Value) -> Self {
        let (bodies, inside) = (number(seen, "bodies"), number(seen, "inside"));
        match column {
            Column::Bare if bodies == 0 => Self::Broken("no body ran".to_owned()),
            Column::Bare => Self::Ok,
            Column::Audited => match audited(shape, list(seen, "records")) {
                Self::Ok if inside < bodies => Self::Early,
                verdict => verdict,
            },
            _ => other(column, form, shape, seen),
        }
    }
}

fn other(column: Column, form: Form, shape: &Shape, seen: &Value) -> Verdict {
    let (calls, expected) = (number(seen, "calls"), shape.calls.len() as u64);
    if calls < expected {
        return Verdict::Lost(format!("{calls} of {expected} calls"));
    }
    if number(seen, "inside") < number(seen, "bodies") {
        return Verdict::Early;
    }
    let found: Vec<&str> = list(seen, "arguments").iter().filter_map(Value::as_str).collect();
    let missing: Vec<&str> = shape.captures.iter().map(String::as_str).filter(|name| !found.contains(name)).collect();
    if form != Form::Shown && !missing.is_empty() {
        return Verdict::Incomplete(format!("without {}", missing.join(", ")));
    }
    if column.takes_result(form)
        && shape.has_result()
        && !seen.get("result").and_then(Value::as_bool).unwrap_or_default()
    {
        return Verdict::Incomplete("without the result".to_owned());
    }
    Verdict::Ok
}

/// Holds the records against the calls that the shape expects: for each a `started` with the arguments, and one end with
/// the outcome and the summary.
fn audited(shape: &Shape, records: &[Value]) -> Verdict {
    let started: Vec<&Value> = records.iter().filter(|record| text(record, "/stage") == "started").collect();
    let ended: Vec<&Value> = records.iter().filter(|record| text(record, "/stage") != "started").collect();
    let ends = shape.calls.iter().filter(|call| call.get("status") != Some(&Value::Null)).count();
    if started.len() != shape.calls.len() || ended.len() != ends {
        let (began, ended, expected) = (started.len(), ended.len(), shape.calls.len());
        return Verdict::Lost(format!("{began} started and {ended} ended, of {expected} and {ends}"));
    }
    for (start, expected) in started.into_iter().zip(&shape.calls) {
        let id = text(start, "/call/id");
        let end = ended.iter().find(|end| text(end, "/call/id") == id).map_or(&Value::Null, |end| *end);
        if let Some(difference) = difference(shape, expected, start, end) {
            return Verdict::Incomplete(difference);
        }
    }
    Verdict::Ok
}

fn difference(shape: &Shape, expected: &Value, start: &Value, end: &Value) -> Option<String> {
    let action = json!(column::action(shape));
    let success = json!("success");
    let null = Value::Null;
    let empty = json!({});
    let of = |key: &str| expected.get(key);
    let facts = [
        ("action", of("action").unwrap_or(&action), start.pointer("/action")),
        ("arguments", of("arguments").unwrap_or(&empty), start.pointer("/request/arguments")),
        ("status", of("status").unwrap_or(&success), end.pointer("/outcome/status")),
        ("summary", of("summary").unwrap_or(&null), end.pointer("/response/summary")),
        ("error_type", of("error_type").unwrap_or(&null), end.pointer("/outcome/error_type")),
    ];
    let mut different = facts.iter().filter(|(_, wanted, found)| !matches(wanted, found.unwrap_or(&Value::Null)));
    different.next().map(|(what, wanted, found)| match found {
        Some(found) => format!("{what}: {found} instead of {wanted}"),
        None => format!("{what}: nothing instead of {wanted}"),
    })
}

/// True if the values are equal; `*` stands for any text, and no arguments at all for none.
fn matches(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::String(star), Value::String(_)) if star == "*" => true,
        (Value::Object(wanted), Value::Null) => wanted.is_empty(),
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.len() == found.len()
                && wanted.iter().all(|(key, value)| found.get(key).is_some_and(|found| matches(value, found)))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| matches(wanted, found))
        }
        _ => wanted == found,
    }
}

fn number(seen: &Value, key: &str) -> u64 {
    seen.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'a>(seen: &'a Value, key: &str) -> &'a [Value] {
    seen.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(record: &'a Value, pointer: &str) -> &'a str {
    record.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
