//! Three tools of an order desk: one reads, one writes, one destroys.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use audited::audited;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, ProgressNotificationParam, RequestMetaObject};
use rmcp::{ErrorData, Peer, RoleServer, ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::{Deserialize, Serialize};

/// The orders that there are.
const ORDERS: [&str; 2] = ["ORD-1", "ORD-2"];

/// The server: it keeps which orders are reserved.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderDesk {
    reserved: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Order {
    /// The order's number, as in `ORD-1`.
    order: String,
}

#[derive(Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Refund {
    /// The order's number, as in `ORD-1`.
    order: String,
    /// The number of the card that the money goes back to.
    card: String,
    /// How much is given back.
    cents: u32,
}

// `#[audited]` stands above `#[tool]`: so it reads the tool's name and annotations.
#[tool_router]
impl OrderDesk {
    /// Tells whether an order is reserved.
    #[audited(action = "order.status.read")]
    #[tool(annotations(read_only_hint = true))]
    async fn order_status(&self, Parameters(Order { order }): Parameters<Order>) -> Result<CallToolResult, ErrorData> {
        if !ORDERS.contains(&order.as_str()) {
            return Ok(CallToolResult::error(vec![ContentBlock::text(format!("there is no order {order}"))]));
        }
        let reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner).contains(&order);
        let status = if reserved { "reserved" } else { "open" };
        Ok(CallToolResult::success(vec![ContentBlock::text(status)]))
    }

    /// Keeps an order reserved for as long as the request stays open: the client cancels it to let the order go.
    #[audited(action = "order.reserve", skip(meta, client), target(type = "order", id = order))]
    #[tool]
    async fn order_reserve(
        &self,
        Parameters(Order { order }): Parameters<Order>,
        meta: RequestMetaObject,
        client: Peer<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let _reservation = Reservation::new(&self.reserved, order);
        if let Some(token) = meta.get_progress_token() {
            let reserved = ProgressNotificationParam::new(token, 0.0).with_message("reserved");
            client
                .notify_progress(reserved)
                .await
                .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        }
        std::future::pending().await
    }

    /// Gives money back. The number of the card reaches no record.
    #[audited(
        action = "order.refund",
        redact = [card],
        target(type = "order", id = order),
        on_unavailable = |unavailable| Err(audit_rmcp::refused(&unavailable)),
    )]
    #[tool(name = "order_refund", annotations(destructive_hint = true))]
    async fn refund(
        &self,
        Parameters(Refund { order, card, cents }): Parameters<Refund>,
    ) -> Result<CallToolResult, ErrorData> {
        if !ORDERS.contains(&order.as_str()) {
            let refusal = format!("card {card} paid for no order {order}");
            return Ok(CallToolResult::error(vec![ContentBlock::text(refusal)]));
        }
        Ok(CallToolResult::success(vec![ContentBlock::text(format!("{cents} cents of {order} given back"))]))
    }
}

#[tool_handler]
impl ServerHandler for OrderDesk {}

/// An order that is reserved until this is dropped.
struct Reservation {
    reserved: Arc<Mutex<BTreeSet<String>>>,
    order: String,
}

impl Reservation {
    fn new(reserved: &Arc<Mutex<BTreeSet<String>>>, order: String) -> Self {
        reserved.lock().unwrap_or_else(PoisonError::into_inner).insert(order.clone());
        Self { reserved: Arc::clone(reserved), order }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.order);
    }
}
