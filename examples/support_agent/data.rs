//! The small airline that the agent works for: made up, and never changed by a run.

use serde_json::{Value, json};

use crate::tools::{Answer, Flight, Passenger, ToolError};

pub struct Airline {
    users: Value,
    reservations: Value,
    flights: Vec<Value>,
}

fn refused<T>(reason: String) -> Result<T, ToolError> {
    Err(ToolError::Refused(format!("Error: {reason}")))
}

fn flight(number: &str, origin: &str, destination: &str, price: u32) -> Value {
    json!({"flight_number": number, "origin": origin, "destination": destination, "date": "2026-06-01", "price": price})
}

impl Airline {
    pub fn new() -> Self {
        let flights = vec![
            flight("EX101", "JFK", "SEA", 210),
            flight("EX205", "JFK", "ORD", 120),
            flight("EX310", "ORD", "SEA", 95),
            flight("EX402", "SEA", "JFK", 230),
        ];
        let users = json!({"ada_moreau_17": {
            "name": {"first_name": "Ada", "last_name": "Moreau"},
            "email": "ada.moreau@example.org",
            "dob": "1984-02-11",
            "address": {"address1": "12 Rue des Lilas", "city": "Lyon"},
            "payment_methods": {"credit_card_900017": {"brand": "visa", "last_four": "4417"}},
            "saved_passengers": [{"first_name": "Noé", "last_name": "Moreau", "dob": "2015-09-30"}],
            "reservations": ["R7K2QX"],
        }});
        let reservations = json!({"R7K2QX": {
            "reservation_id": "R7K2QX",
            "user_id": "ada_moreau_17",
            "cabin": "economy",
            "flights": [flight("EX101", "JFK", "SEA", 210)],
            "passengers": [{"first_name": "Ada", "last_name": "Moreau", "dob": "1984-02-11"}],
            "payment_history": [{"payment_id": "credit_card_900017", "amount": 210}],
            "total_baggages": 1,
        }});
        Self { users, reservations, flights }
    }

    pub fn user(&self, id: &str) -> Answer {
        self.users.get(id).cloned().map_or_else(|| refused(format!("user {id} not found")), Ok)
    }

    pub fn reservation(&self, id: &str) -> Answer {
        self.reservations.get(id).cloned().map_or_else(|| refused(format!("reservation {id} not found")), Ok)
    }

    pub fn airports(&self) -> Value {
        json!({"JFK": "New York", "ORD": "Chicago", "SEA": "Seattle"})
    }

    pub fn flights(&self, origin: &str, destination: &str, date: &str) -> Value {
        let fits = |flight: &&Value| {
            flight["origin"] == origin && flight["destination"] == destination && flight["date"] == date
        };
        self.flights.iter().filter(fits).cloned().collect()
    }

    pub fn connections(&self, origin: &str, destination: &str, date: &str) -> Value {
        let first = self.flights.iter().filter(|flight| flight["origin"] == origin && flight["date"] == date);
        let with_second = |first: &Value| {
            let stop = first["destination"].as_str().unwrap_or_default();
            let second = self.flights(stop, destination, date);
            second.as_array().into_iter().flatten().map(|second| json!([first, second])).collect::<Vec<_>>()
        };
        first.flat_map(with_second).collect()
    }

    pub fn change_flights(&self, id: &str, cabin: &str, flights: &[Flight], payment_id: &str) -> Answer {
        let mut reservation = self.paid_by(id, payment_id)?;
        let known = |wanted: &Flight| {
            self.flights.iter().find(|flight| flight["flight_number"] == wanted.flight_number.as_str())
        };
        let mut chosen = Vec::new();
        for wanted in flights {
            match known(wanted) {
                Some(flight) => chosen.push(flight.clone()),
                None => {
                    return refused(format!("flight {} not available on date {}", wanted.flight_number, wanted.date));
                }
            }
        }
        reservation["cabin"] = cabin.into();
        reservation["flights"] = chosen.into();
        Ok(reservation)
    }

    pub fn change_baggage(&self, id: &str, total: u32, payment_id: &str) -> Answer {
        let mut reservation = self.paid_by(id, payment_id)?;
        reservation["total_baggages"] = total.into();
        Ok(reservation)
    }

    pub fn change_passengers(&self, id: &str, passengers: &[Passenger]) -> Answer {
        let mut reservation = self.reservation(id)?;
        reservation["passengers"] = json!(passengers);
        Ok(reservation)
    }

    pub fn cancel(&self, id: &str) -> Answer {
        let mut reservation = self.reservation(id)?;
        reservation["status"] = "cancelled".into();
        Ok(reservation)
    }

    pub fn certificate(&self, user_id: &str, amount: u32) -> Answer {
        self.user(user_id)?;
        Ok(format!("Certificate certificate_700001 added to user {user_id} with amount {amount}.").into())
    }

    fn paid_by(&self, id: &str, payment_id: &str) -> Answer {
        let reservation = self.reservation(id)?;
        let owner = self.user(reservation["user_id"].as_str().unwrap_or_default())?;
        if owner["payment_methods"].get(payment_id).is_none() {
            return refused(format!("payment method {payment_id} not found"));
        }
        Ok(reservation)
    }
}

/// Sums and differences of whole numbers: `210 - 95 + 30`.
pub fn calculate(expression: &str) -> Answer {
    let mut words = expression.split_whitespace();
    let number = |word: Option<&str>| {
        let parsed = word.and_then(|word| word.parse::<i64>().ok());
        parsed.map_or_else(|| refused(format!("cannot calculate {expression}")), Ok)
    };
    let mut total = number(words.next())?;
    while let Some(operator) = words.next() {
        let operand = number(words.next())?;
        total = match operator {
            "+" => total + operand,
            "-" => total - operand,
            _ => return refused(format!("cannot calculate {expression}")),
        };
    }
    Ok(total.into())
}
