//! Observes `#[audited]` through a sink in memory.

use std::sync::{Arc, Mutex, PoisonError};

use audited::Durability;
use audited::sink::{Appended, Prepared, Receipt, Sink};
pub use probe_common::*;
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

/// Keeps the records. Clones share them.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<Value>>>);

impl Memory {
    fn records(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink for Memory {
    fn append(&self, prepared: &Prepared<'_>) -> Receipt {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(serde_json::from_slice(prepared.record()).unwrap_or_default());
        let number = records.len() as u64 - 1;
        let durable = prepared.durability_demanded().unwrap_or(Durability::Os);
        Receipt::ready(Ok(Appended { number, leaf_hash: audit_core::hash::Hash::leaf(prepared.record()), durable }))
    }
}

static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);

fn memory() -> Memory {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Memory::default).clone()
}

/// Called by each body: it is inside if the intent of a call is recorded and its end is not.
pub fn body() {
    let records = memory().records();
    let ended = records.iter().filter(|record| record["stage"] != "started").count();
    bodies::note(ended < records.len() - ended);
}

/// Runs a shape and tells what was seen of it.
///
/// # Panics
/// Where another subscriber is installed already.
pub fn observe(run: impl FnOnce()) -> Value {
    let subscriber = tracing_subscriber::registry().with(audited::layer(&memory()));
    #[expect(clippy::expect_used, reason = "a comparison that cannot run fails")]
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is installed");
    run();
    json!({"records": memory().records(), "bodies": bodies::ran(), "inside": bodies::inside()})
}
