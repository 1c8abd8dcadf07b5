//! The recorded agent runs, redacted by a policy alone: nothing that the code says removes a value.

use std::path::Path;

use audited::{Conclusion, Effect, Level, Log, Status, manual};
use serde_json::Value;
use testkit::{outside_data, workspace};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::airline::{all_bytes, kept, lines, personal_data, records, tokens, visit};

/// Makes the call as an adapter does that knows a tool by its name alone.
pub(super) fn replay(call: &Value) {
    let text = |name: &str| call[name].as_str().unwrap().to_owned();
    let (tool, observation) = (text("name"), text("observation"));
    let effect = if tool.starts_with("get_") || tool.starts_with("search_") { Effect::Read } else { Effect::Write };
    let begun = manual::tool_call(format!("airline.{tool}"), tool).effect(effect);
    let begun = begun.level(Level::RequestResponse).arguments(&call["arguments"]).begin();
    let result: Value = serde_json::from_str(&observation).unwrap_or_else(|_| observation.clone().into());
    if observation.starts_with("Error") {
        begun.call().finish(Conclusion::from(Status::Failure).reason(observation), None);
    } else {
        begun.call().finish(Conclusion::success(), Some(&result));
    }
}

fn run(calls: &[Value], policy: Option<&Path>, log: &Path) {
    let options = policy.map_or_else(Log::options, |policy| Log::options().policy_file(policy));
    let log = options.open(log).unwrap();
    let subscriber = tracing_subscriber::registry().with(audited::layer(&log));
    tracing::subscriber::with_default(subscriber, || calls.iter().for_each(replay));
    log.close().unwrap();
}

#[test]
fn the_recorded_runs_leak_nothing_of_the_users_under_a_policy_alone() {
    let Some(data) = outside_data("AUDITED_DATA", "data/airline") else { return };
    let directory = tempfile::tempdir().unwrap();
    let calls = lines(&data.join("calls.jsonl"));
    let (personal, last_fours) = personal_data(&data);
    let leaks = |log: &Path| {
        let bytes = all_bytes(log);
        let words = tokens(&bytes);
        // A secret stands in the log only if all of its words do.
        let may_be_there = |secret: &&String| tokens(secret).iter().all(|word| words.contains(word));
        personal.iter().filter(may_be_there).filter(|secret| bytes.contains(*secret)).count()
    };

    let bare = directory.path().join("bare");
    let of_customers: Vec<Value> =
        calls.iter().filter(|call| call["name"] == "get_user_details").take(20).cloned().collect();
    run(&of_customers, None, &bare);
    assert!(leaks(&bare) > 20, "without a policy the log has what a policy is to remove");

    let log = directory.path().join("audit");
    run(&calls, Some(&workspace().join("examples/support_agent/policy.toml")), &log);
    assert_eq!(leaks(&log), 0);
    let records = records(&log);
    assert_eq!(records.iter().filter(|record| record.get("call").is_some()).count(), 2 * calls.len());
    for record in &records {
        for part in [&record["request"], &record["response"], &record["outcome"]["reason"]] {
            visit(part, "", &mut |name, value| {
                let Value::String(text) = value else { return };
                let found: Vec<&str> = tokens(text).into_iter().filter(|token| last_fours.contains(*token)).collect();
                assert!(found.is_empty(), "the last four digits {found:?} stand in `{name}`: {text}");
            });
        }
    }
    let bytes = all_bytes(&log);
    for wanted in kept(&calls) {
        assert!(bytes.contains(&wanted), "{wanted} is missing in the log");
    }
}
