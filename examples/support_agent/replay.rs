//! Replays recorded agent runs: the same tools, answered as they were when the run was recorded.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, bail};
use audited::Trigger;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::tools::{Answer, Desk};

#[derive(Deserialize)]
struct Call {
    task_id: u32,
    trial: u32,
    turn: u32,
    tool_call_id: String,
    name: String,
    arguments: Value,
    observation: String,
}

/// Replays every call of the file; returns the identifier of the first conversation.
pub fn run(path: &Path) -> anyhow::Result<String> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut customers: HashMap<String, String> = HashMap::new();
    let mut first = None;
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let place = || format!("{} line {}", path.display(), index + 1);
        let call: Call = serde_json::from_str(&line.with_context(place)?).with_context(place)?;
        let conversation = format!("task-{}-trial-{}", call.task_id, call.trial);
        if let Some(customer) = call.arguments.get("user_id").and_then(Value::as_str) {
            customers.insert(conversation.clone(), customer.to_owned());
        }
        let mut context = audited::context()
            .agent("agent:airline-support")
            .model("openai", "gpt-4o")
            .conversation(conversation.clone())
            .run(format!("trial-{}", call.trial))
            .turn(call.turn)
            .trigger(Trigger::UserRequest)
            .tool_call_id(call.tool_call_id.clone());
        if let Some(customer) = customers.get(&conversation) {
            context = context.on_behalf_of(customer.clone());
        }
        // A tool's failure is part of the recording; only a call that is no call ends the replay.
        let _answer: Answer = context.in_scope(|| dispatch(call)).with_context(place)?;
        first.get_or_insert(conversation);
    }
    first.with_context(|| format!("{} holds no call", path.display()))
}

fn dispatch(call: Call) -> anyhow::Result<Answer> {
    let desk = Desk::Recorded(call.observation);
    let mut arguments = call.arguments;
    Ok(match call.name.as_str() {
        "get_user_details" => desk.get_user_details(one(&mut arguments, "user_id")?),
        "get_reservation_details" => desk.get_reservation_details(one(&mut arguments, "reservation_id")?),
        "list_all_airports" => desk.list_all_airports(),
        "search_direct_flight" => desk.search_direct_flight(serde_json::from_value(arguments)?),
        "search_onestop_flight" => desk.search_onestop_flight(serde_json::from_value(arguments)?),
        "calculate" => desk.calculate(one(&mut arguments, "expression")?),
        "think" => desk.think(one(&mut arguments, "thought")?),
        "book_reservation" => desk.book_reservation(serde_json::from_value(arguments)?),
        "update_reservation_flights" => desk.update_reservation_flights(serde_json::from_value(arguments)?),
        "update_reservation_baggages" => desk.update_reservation_baggages(serde_json::from_value(arguments)?),
        "update_reservation_passengers" => desk.update_reservation_passengers(serde_json::from_value(arguments)?),
        "cancel_reservation" => desk.cancel_reservation(one(&mut arguments, "reservation_id")?),
        "send_certificate" => desk.send_certificate(one(&mut arguments, "user_id")?, one(&mut arguments, "amount")?),
        "transfer_to_human_agents" => desk.transfer_to_human_agents(one(&mut arguments, "summary")?),
        other => bail!("expected the name of a tool, found {other}"),
    })
}

fn one<T: DeserializeOwned>(arguments: &mut Value, name: &str) -> anyhow::Result<T> {
    let value = arguments.get_mut(name).with_context(|| format!("expected the argument {name}"))?;
    Ok(serde_json::from_value(value.take())?)
}
