//! The tools of the agent, each typed and audited. What answers them is a [`Desk`]: the data set, or a recording.

use audited::audited;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::Airline;

/// What a tool answers: JSON, or why not.
pub type Answer = Result<Value, ToolError>;

/// Why a tool did not do what it should.
#[derive(Debug)]
pub enum ToolError {
    /// The airline refused, in its own words.
    Refused(String),
    /// The call could not be recorded and was not made.
    Unrecorded(audited::Unavailable),
}

impl std::fmt::Display for ToolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(reason) => f.write_str(reason),
            Self::Unrecorded(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for ToolError {}

impl From<audited::Unavailable> for ToolError {
    fn from(unavailable: audited::Unavailable) -> Self {
        Self::Unrecorded(unavailable)
    }
}

/// Who answers the tools.
pub enum Desk {
    /// The small data set of this example.
    Live(Airline),
    /// What was answered when the run was recorded.
    Recorded(String),
}

impl Desk {
    fn answer(&self, live: impl FnOnce(&Airline) -> Answer) -> Answer {
        match self {
            Self::Live(airline) => live(airline),
            Self::Recorded(text) if text.starts_with("Error") => Err(ToolError::Refused(text.clone())),
            Self::Recorded(text) => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))),
        }
    }
}

#[derive(Deserialize, Serialize)]
pub struct Flight {
    pub flight_number: String,
    pub date: String,
}

#[derive(Deserialize, Serialize)]
pub struct Passenger {
    pub first_name: String,
    pub last_name: String,
    pub dob: String,
}

#[derive(Deserialize, Serialize)]
pub struct Payment {
    pub payment_id: String,
    pub amount: i64,
}

#[derive(Deserialize)]
pub struct Booking {
    pub user_id: String,
    pub origin: String,
    pub destination: String,
    pub flight_type: String,
    pub cabin: String,
    pub flights: Vec<Flight>,
    pub passengers: Vec<Passenger>,
    pub payment_methods: Vec<Payment>,
    pub total_baggages: u32,
    pub nonfree_baggages: u32,
    pub insurance: String,
}

#[derive(Deserialize)]
pub struct Route {
    pub origin: String,
    pub destination: String,
    pub date: String,
}

#[derive(Deserialize)]
pub struct FlightChange {
    pub reservation_id: String,
    pub cabin: String,
    pub flights: Vec<Flight>,
    pub payment_id: String,
}

#[derive(Deserialize)]
pub struct BaggageChange {
    pub reservation_id: String,
    pub total_baggages: u32,
    pub nonfree_baggages: u32,
    pub payment_id: String,
}

#[derive(Deserialize)]
pub struct PassengerChange {
    pub reservation_id: String,
    pub passengers: Vec<Passenger>,
}

impl Desk {
    #[audited(
        action = "customer.read",
        effect = "read",
        redact = [
            return.email, return.dob, return.address, return.payment_methods, return.saved_passengers[].dob,
        ],
        target(type = "customer", id = user_id),
    )]
    pub fn get_user_details(&self, user_id: String) -> Answer {
        self.answer(|airline| airline.user(&user_id))
    }

    #[audited(
        action = "reservation.read",
        effect = "read",
        redact = [return.passengers[].dob, return.payment_history[].payment_id],
        target(type = "reservation", id = reservation_id),
    )]
    pub fn get_reservation_details(&self, reservation_id: String) -> Answer {
        self.answer(|airline| airline.reservation(&reservation_id))
    }

    #[audited(action = "airport.list", effect = "read")]
    pub fn list_all_airports(&self) -> Answer {
        self.answer(|airline| Ok(airline.airports()))
    }

    /// How full a flight is, is the airline's own business.
    #[audited(action = "flight.search", effect = "read", redact = [return[].available_seats?])]
    pub fn search_direct_flight(&self, Route { origin, destination, date }: Route) -> Answer {
        self.answer(|airline| Ok(airline.flights(&origin, &destination, &date)))
    }

    #[audited(action = "flight.search", effect = "read", redact = [return[][].available_seats?])]
    pub fn search_onestop_flight(&self, Route { origin, destination, date }: Route) -> Answer {
        self.answer(|airline| Ok(airline.connections(&origin, &destination, &date)))
    }

    /// A bare number could be anything, four digits of a card included; the expression says all there is to know.
    #[audited(action = "calculation.run", effect = "read", redact = [return])]
    pub fn calculate(&self, expression: String) -> Answer {
        self.answer(|_| crate::data::calculate(&expression))
    }

    /// Thoughts are the model's own words about a person: that there was one is all that is kept.
    #[audited(action = "agent.think", effect = "read", redact = [thought])]
    pub fn think(&self, thought: String) -> Answer {
        self.answer(|_| Ok(Value::String(String::new())))
    }

    #[audited(
        action = "reservation.book",
        redact = [
            passengers[].dob, payment_methods[].payment_id,
            return.passengers[].dob, return.payment_history[].payment_id,
        ],
        target(type = "customer", id = user_id),
    )]
    #[allow(
        unused_variables,
        reason = "the data set of this example takes no bookings; the record shows them all the same"
    )]
    pub fn book_reservation(
        &self,
        Booking {
            user_id,
            origin,
            destination,
            flight_type,
            cabin,
            flights,
            passengers,
            payment_methods,
            total_baggages,
            nonfree_baggages,
            insurance,
        }: Booking,
    ) -> Answer {
        self.answer(|_| Err(ToolError::Refused("Error: no seats are left".to_owned())))
    }

    #[audited(
        action = "reservation.flights.update",
        redact = [payment_id, return.passengers[].dob, return.payment_history[].payment_id],
        target(type = "reservation", id = reservation_id),
    )]
    pub fn update_reservation_flights(
        &self,
        FlightChange { reservation_id, cabin, flights, payment_id }: FlightChange,
    ) -> Answer {
        self.answer(|airline| airline.change_flights(&reservation_id, &cabin, &flights, &payment_id))
    }

    #[audited(
        action = "reservation.baggage.update",
        redact = [payment_id, return.passengers[].dob, return.payment_history[].payment_id],
        target(type = "reservation", id = reservation_id),
    )]
    pub fn update_reservation_baggages(
        &self,
        BaggageChange { reservation_id, total_baggages, nonfree_baggages, payment_id }: BaggageChange,
    ) -> Answer {
        let _paid_for = nonfree_baggages;
        self.answer(|airline| airline.change_baggage(&reservation_id, total_baggages, &payment_id))
    }

    #[audited(
        action = "reservation.passengers.update",
        redact = [passengers[].dob, return.passengers[].dob, return.payment_history[].payment_id],
        target(type = "reservation", id = reservation_id),
    )]
    pub fn update_reservation_passengers(
        &self,
        PassengerChange { reservation_id, passengers }: PassengerChange,
    ) -> Answer {
        self.answer(|airline| airline.change_passengers(&reservation_id, &passengers))
    }

    #[audited(
        action = "reservation.cancel",
        effect = "destructive",
        redact = [return.passengers[].dob, return.payment_history[].payment_id],
        target(type = "reservation", id = reservation_id),
    )]
    pub fn cancel_reservation(&self, reservation_id: String) -> Answer {
        self.answer(|airline| airline.cancel(&reservation_id))
    }

    /// The answer names the certificate, which is as good as money.
    #[audited(action = "certificate.send", redact = [return], target(type = "customer", id = user_id))]
    pub fn send_certificate(&self, user_id: String, amount: u32) -> Answer {
        self.answer(|airline| airline.certificate(&user_id, amount))
    }

    #[audited(action = "conversation.transfer", redact = [summary])]
    pub fn transfer_to_human_agents(&self, summary: String) -> Answer {
        self.answer(|_| Ok(Value::String("Transfer successful".to_owned())))
    }
}
