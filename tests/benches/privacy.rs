//! What the rules of privacy add to one audited call, with the arguments of a booking as an airline's agent makes it.
//!
//! Same function, same arguments, same run, by turns: without any rule, with the default ones, and with paths besides.

use std::hint::black_box;

use audit_core::privacy::Privacy;
use audited::{Log, audited};
use serde::Serialize;
use testkit::bench::Table;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

const CALLS: u32 = 8_000;
const ROUNDS: u32 = 15;

/// How much longer a call may take with rules.
const FACTOR_MAX: f64 = 1.3;

#[derive(Serialize)]
struct Flight {
    flight_number: &'static str,
    date: &'static str,
}

#[derive(Serialize)]
struct Passenger {
    first_name: &'static str,
    last_name: &'static str,
    dob: &'static str,
}

#[derive(Serialize)]
struct Payment {
    payment_id: &'static str,
    amount: u32,
}

#[derive(Serialize)]
struct Booking {
    user_id: &'static str,
    origin: &'static str,
    destination: &'static str,
    flight_type: &'static str,
    cabin: &'static str,
    flights: [Flight; 2],
    passengers: [Passenger; 2],
    payment_methods: [Payment; 2],
    total_baggages: u8,
    nonfree_baggages: u8,
    insurance: &'static str,
}

static BOOKING: Booking = Booking {
    user_id: "mia_li_3668",
    origin: "JFK",
    destination: "SEA",
    flight_type: "one_way",
    cabin: "economy",
    flights: [
        Flight { flight_number: "HAT136", date: "2024-05-20" },
        Flight { flight_number: "HAT039", date: "2024-05-20" },
    ],
    passengers: [
        Passenger { first_name: "Mia", last_name: "Li", dob: "1990-04-05" },
        Passenger { first_name: "Noah", last_name: "Li", dob: "2015-11-30" },
    ],
    payment_methods: [
        Payment { payment_id: "certificate_7504069", amount: 250 },
        Payment { payment_id: "credit_card_4421486", amount: 5 },
    ],
    total_baggages: 3,
    nonfree_baggages: 0,
    insurance: "no",
};

#[audited(action = "reservation.book")]
fn book(booking: &Booking, note: &str) -> usize {
    black_box(booking.flights.len() + note.len())
}

#[audited(action = "reservation.book", redact = [booking.passengers[].dob, booking.payment_methods[].payment_id])]
fn book_redacted(booking: &Booking, note: &str) -> usize {
    black_box(booking.flights.len() + note.len())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let open = |name: &str, privacy: Privacy| -> Result<(Log, Dispatch), Box<dyn std::error::Error>> {
        let log = Log::options().open(directory.path().join(name))?;
        let sink = Ruled { log: log.clone(), privacy: privacy.into() };
        Ok((log, tracing_subscriber::registry().with(audited::layer(&sink)).into()))
    };
    let (free_log, free) = open("free", Privacy::builder().without_rules().build())?;
    let (ruled_log, ruled) = open("ruled", Privacy::default())?;

    let under = |dispatch: &Dispatch, call: fn(&Booking, &str) -> usize| {
        let dispatch = dispatch.clone();
        move |_order| {
            tracing::dispatcher::with_default(&dispatch, || {
                black_box(call(&BOOKING, "the window seat, if there is one"))
            });
        }
    };
    let mut subjects = [under(&free, book), under(&ruled, book), under(&ruled, book_redacted)];
    let [without, with, paths] = &mut subjects;
    let times = alternate(&mut [without, with, paths])?;
    free_log.close()?;
    ruled_log.close()?;

    let [without, with, paths] = times[..] else { return Err("expected three measures".into()) };
    let mut table = Table::default();
    table.add("call without rules", without, "ns", None);
    table.add("call with the default rules", with, "ns", None);
    table.add("call with the default rules and four values removed", paths, "ns", None);
    table.add("default rules / none", with / without, "×", Some(FACTOR_MAX));
    table.add("default rules and paths / none", paths / without, "×", Some(FACTOR_MAX));
    table.publish("privacy")?;
    Ok(())
}

/// Runs the subjects by turns; returns the processor time that a call of each takes on this thread, in nanoseconds, in the
/// quickest of its rounds: what else runs on the machine takes its share of any other measure.
fn alternate(subjects: &mut [&mut dyn FnMut(u32)]) -> std::io::Result<Vec<f64>> {
    let mut quickest = vec![f64::INFINITY; subjects.len()];
    for _round in 0..ROUNDS {
        for (subject, quickest) in subjects.iter_mut().zip(&mut quickest) {
            let start = processor_time()?;
            (0..CALLS).for_each(&mut *subject);
            *quickest = quickest.min((processor_time()? - start) / f64::from(CALLS));
        }
    }
    Ok(quickest)
}

/// How long this thread ran so far, in nanoseconds.
fn processor_time() -> std::io::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let ran = text.split(' ').next().and_then(|ran| ran.parse().ok());
    ran.ok_or_else(|| std::io::Error::other(format!("expected how long the thread ran, found {text}")))
}

/// A log with rules of its own.
#[derive(Clone)]
struct Ruled {
    log: Log,
    privacy: std::sync::Arc<Privacy>,
}

impl audit_core::sink::Sink for Ruled {
    fn append(&self, prepared: &audit_core::sink::Prepared<'_>) -> audit_core::sink::Receipt {
        self.log.append(prepared)
    }

    fn privacy(&self) -> Option<std::sync::Arc<Privacy>> {
        Some(std::sync::Arc::clone(&self.privacy))
    }
}
