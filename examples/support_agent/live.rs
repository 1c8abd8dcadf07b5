//! One customer, served by a scripted agent: a change of flight, a refund that needs a person, a cancellation.

use std::time::{SystemTime, UNIX_EPOCH};

use audited::{Applied, Status, Trigger};

use crate::data::Airline;
use crate::tools::{Answer, Desk, Flight, FlightChange, Route};

/// Serves the customer; returns the conversation's identifier.
pub fn run() -> anyhow::Result<String> {
    let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let conversation = format!("conv-{started}");
    let context = audited::context()
        .agent("agent:airline-support")
        .agent_version("1.0.0")
        .model("example", "scripted")
        .on_behalf_of("ada_moreau_17")
        .conversation(conversation.clone())
        .run(format!("run-{started}"))
        .trigger(Trigger::UserRequest);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(context.scope(serve()))?;
    Ok(conversation)
}

async fn serve() -> anyhow::Result<()> {
    audited::event("run.created").action("airline.support").record()?;
    let desk = Desk::Live(Airline::new());
    change_flight(&desk).await;
    cancel(&desk).await?;
    audited::event("run.completed")
        .action("airline.support")
        .outcome(Status::Success)
        .effect(Applied::Applied)
        .record()?;
    Ok(())
}

/// The first turn: the customer asks for another flight and names a card that is not hers.
async fn change_flight(desk: &Desk) {
    let change = |payment_id: &str| FlightChange {
        reservation_id: "R7K2QX".into(),
        cabin: "economy".into(),
        flights: vec![Flight { flight_number: "EX205".into(), date: "2026-06-01".into() }],
        payment_id: payment_id.into(),
    };
    audited::context()
        .turn(1)
        .scope(async {
            say("user", desk.get_user_details("ada_moreau_17".into()));
            say("reservation", desk.get_reservation_details("R7K2QX".into()));
            let route = Route { origin: "JFK".into(), destination: "SEA".into(), date: "2026-06-01".into() };
            say("connections", desk.search_onestop_flight(route));
            say("price", desk.calculate("120 + 95 - 210".into()));
            say("change", desk.update_reservation_flights(change("credit_card_123456")));
            say("change", desk.update_reservation_flights(change("credit_card_900017")));
        })
        .await;
}

/// The second turn: she gives up the trip, and a person decides on the refund.
async fn cancel(desk: &Desk) -> anyhow::Result<()> {
    audited::context()
        .turn(2)
        .scope(async {
            audited::event("approval.requested")
                .action("reservation.cancel")
                .target("reservation", "R7K2QX")
                .record()?;
            say("think", desk.think("She sounds upset; a certificate may help.".into()));
            audited::event("approval.granted")
                .action("reservation.cancel")
                .target("reservation", "R7K2QX")
                .reason("within 24 hours of booking")
                .annotation("approver", "supervisor:3")
                .record()?;
            say("cancel", desk.cancel_reservation("R7K2QX".into()));
            say("certificate", desk.send_certificate("ada_moreau_17".into(), 50));
            say("transfer", desk.transfer_to_human_agents("Ada Moreau asks when the money will arrive.".into()));
            Ok(())
        })
        .await
}

fn say(what: &str, answer: Answer) {
    match answer {
        Ok(_) => println!("{what}: done"),
        Err(error) => println!("{what}: {error}"),
    }
}
