//! The verdict: what the server's answer says of the call.

use audit_core::Conclusion;
use audit_core::vocabulary::Applied;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, ServerResult};
use serde::Serialize;
use serde_json::Value;

/// What rmcp says of a tool that it does not have, or not now.
const NOT_FOUND: &str = "tool not found";

/// How the text begins with which rmcp refuses arguments that do not fit the tool's parameters.
const NOT_DESERIALIZED: &str = "failed to deserialize parameters:";

/// What is known of the tool that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Availability {
    /// The server lists it.
    Listed,
    /// The server has it, but takes no calls of it at present.
    Disabled,
    /// The server tells nothing of it.
    Unlisted,
    /// The request has not the form of a call: no tool is asked.
    Malformed,
}

/// How a call ended, in the words of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The tool did what it should.
    Done,
    /// The server answered, but the tool's work goes on; the word says how.
    GoesOn(&'static str),
    /// It did not.
    Failed(Failure),
}

/// Why a call failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error_type: &'static str,
    /// The error's code in the protocol, if the protocol was told one.
    pub(crate) code: Option<i32>,
    pub(crate) reason: Option<String>,
    /// True if it is certain that the tool did not run.
    pub(crate) never_ran: bool,
}

impl Verdict {
    /// Judges the server's answer.
    pub(crate) fn of(answer: &Result<ServerResult, ErrorData>, availability: Availability) -> Self {
        match answer {
            Ok(ServerResult::CallToolResult(result)) if result.is_error == Some(true) => {
                Self::Failed(tool_error(result))
            }
            Ok(ServerResult::InputRequiredResult(_)) => Self::GoesOn("input_required"),
            Ok(ServerResult::CreateTaskResult(_)) => Self::GoesOn("task_created"),
            Ok(_) => Self::Done,
            Err(error) => Self::Failed(protocol_error(error, availability)),
        }
    }
}

impl From<Verdict> for Conclusion {
    fn from(verdict: Verdict) -> Self {
        let failure = match verdict {
            Verdict::Done => return Self::success(),
            Verdict::GoesOn(word) => return Self::unknown().reason(word),
            Verdict::Failed(failure) => failure,
        };
        let mut conclusion = Self::failure(failure.error_type);
        if let Some(code) = failure.code {
            conclusion = conclusion.code(code.to_string());
        }
        if let Some(reason) = failure.reason {
            conclusion = conclusion.reason(reason);
        }
        if failure.never_ran { conclusion.effect(Applied::None) } else { conclusion }
    }
}

fn tool_error(result: &CallToolResult) -> Failure {
    let text = only_text(result).or_else(|| result.content.iter().find_map(text_of));
    // rmcp turns the refusal of arguments into a result, so that the model can read it; the code is then not sent.
    let refused = only_text(result).is_some_and(|text| text.starts_with(NOT_DESERIALIZED));
    Failure {
        error_type: if refused { "invalid_arguments" } else { "tool_error" },
        code: refused.then_some(ErrorCode::INVALID_PARAMS.0),
        reason: text.map(str::to_owned),
        never_ran: false,
    }
}

fn protocol_error(error: &ErrorData, availability: Availability) -> Failure {
    let not_found = error.code == ErrorCode::METHOD_NOT_FOUND
        || error.code == ErrorCode::INVALID_PARAMS && error.message == NOT_FOUND;
    let error_type = match availability {
        Availability::Disabled if not_found => "tool_disabled",
        Availability::Unlisted if not_found => "unknown_tool",
        Availability::Malformed => "invalid_arguments",
        _ if error.code == ErrorCode::INVALID_PARAMS => "invalid_arguments",
        _ => "protocol_error",
    };
    Failure {
        error_type,
        code: Some(error.code.0),
        reason: Some(error.message.clone().into_owned()),
        never_ran: matches!(error_type, "tool_disabled" | "unknown_tool") || availability == Availability::Malformed,
    }
}

/// The result as it is worth recording.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answered<'a> {
    /// What the tool meant for programs.
    Structured(&'a Value),
    /// A text that is JSON, as what it means: so the names in it are seen.
    Parsed(Value),
    /// The only text.
    Text(&'a str),
    /// Everything, as it was sent.
    Content(&'a [ContentBlock]),
}

impl<'a> Answered<'a> {
    /// Takes the result out of the server's answer, if it holds one.
    pub(crate) fn of(answer: &'a Result<ServerResult, ErrorData>) -> Option<Self> {
        let Ok(ServerResult::CallToolResult(result)) = answer else { return None };
        if let Some(structured) = &result.structured_content {
            return Some(Self::Structured(structured));
        }
        let Some(text) = only_text(result) else { return Some(Self::Content(&result.content)) };
        let is_json = text.starts_with(['{', '[']);
        let parsed = is_json.then(|| serde_json::from_str(text).ok()).flatten();
        Some(parsed.map_or(Self::Text(text), Self::Parsed))
    }
}

fn only_text(result: &CallToolResult) -> Option<&str> {
    match result.content.as_slice() {
        [block] => text_of(block),
        _ => None,
    }
}

fn text_of(block: &ContentBlock) -> Option<&str> {
    block.as_text().map(|text| text.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(
        answer: Result<CallToolResult, ErrorData>,
        availability: Availability,
        expected: (&str, Option<i32>, &str, bool),
    ) {
        let answer = answer.map(ServerResult::CallToolResult);
        let Verdict::Failed(failure) = Verdict::of(&answer, availability) else { panic!("{answer:?} is no failure") };
        let found = (failure.error_type, failure.code, failure.reason.as_deref().unwrap_or(""), failure.never_ran);
        assert_eq!(found, expected, "{answer:?}");
    }

    fn text(text: &str) -> Vec<ContentBlock> {
        vec![ContentBlock::text(text)]
    }

    #[test]
    fn every_failure_has_its_word() {
        use Availability::{Disabled, Listed, Malformed, Unlisted};
        let error = |content| Ok(CallToolResult::error(content));
        let refused = "failed to deserialize parameters: missing field `order`";
        let not_found = || Err(ErrorData::invalid_params(NOT_FOUND, None));
        check(error(text("no such order")), Listed, ("tool_error", None, "no such order", false));
        check(error(vec![]), Listed, ("tool_error", None, "", false));
        check(error(text(refused)), Listed, ("invalid_arguments", Some(-32602), refused, false));
        check(not_found(), Unlisted, ("unknown_tool", Some(-32602), NOT_FOUND, true));
        check(not_found(), Disabled, ("tool_disabled", Some(-32602), NOT_FOUND, true));
        check(not_found(), Listed, ("invalid_arguments", Some(-32602), NOT_FOUND, false));
        check(
            Err(ErrorData::invalid_params("cents is negative", None)),
            Unlisted,
            ("invalid_arguments", Some(-32602), "cents is negative", false),
        );
        check(
            Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "tools/call", None)),
            Malformed,
            ("invalid_arguments", Some(-32601), "tools/call", true),
        );
        check(
            Err(ErrorData::internal_error("broken", None)),
            Disabled,
            ("protocol_error", Some(-32603), "broken", false),
        );
    }

    #[test]
    fn a_result_is_recorded_as_what_it_means() {
        let check = |result: CallToolResult, expected: Value| {
            let answer = Ok(ServerResult::CallToolResult(result));
            assert_eq!(Verdict::of(&answer, Availability::Listed), Verdict::Done);
            assert_eq!(serde_json::to_value(Answered::of(&answer)).unwrap(), expected);
        };
        check(CallToolResult::structured(json!({"sum": 3})), json!({"sum": 3}));
        check(CallToolResult::success(text("{\"password\":\"x\"}")), json!({"password": "x"}));
        check(CallToolResult::success(text("[1, 2")), json!("[1, 2"));
        check(CallToolResult::success(text("open")), json!("open"));
        let two = vec![ContentBlock::text("a"), ContentBlock::text("b")];
        check(CallToolResult::success(two), json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]));
    }
}
