//! What the gateway says about everything, asked once for all who look.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_role::{ControlReply, ControlRequest, DenialLine, OrderLine, PositionLine, StatusReport};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::page::{View, view};

/// The newest reading, taken anew when somebody asks and it is old.
#[derive(Debug)]
pub(crate) struct Live {
    gateway: Gateway,
    /// How old a reading may be.
    age_max: Duration,
    newest: Mutex<Option<(Instant, Arc<Reading>)>>,
}

/// One look at the gateway, as the page shows it.
#[derive(Debug)]
pub(crate) struct Reading {
    /// For the template.
    pub(crate) view: View,
    /// For the stream of events: the same as one line of JSON.
    pub(crate) json: String,
}

/// Everything the Overview shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Board {
    pub(crate) status: StatusReport,
    pub(crate) orders: Vec<OrderLine>,
    pub(crate) orders_omitted: u64,
    pub(crate) positions: Vec<PositionLine>,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) recent_refusals: Vec<DenialLine>,
}

impl Live {
    pub(crate) fn new(gateway: Gateway, age_max: Duration) -> Self {
        Self { gateway, age_max, newest: Mutex::new(None) }
    }

    /// A reading that is not too old. Whoever comes while one is being taken gets that one.
    pub(crate) async fn read(&self) -> Arc<Reading> {
        let mut newest = self.newest.lock().await;
        if let Some((at, reading)) = &*newest
            && at.elapsed() < self.age_max
        {
            return Arc::clone(reading);
        }
        let view = view(board(&self.gateway).await);
        let json = serde_json::to_string(&view).unwrap_or_else(|error| {
            tracing::error!(%error, "the overview cannot be written as JSON");
            String::new()
        });
        let reading = Arc::new(Reading { view, json });
        *newest = Some((Instant::now(), Arc::clone(&reading)));
        reading
    }

    /// Makes the next reading a new one, because something was changed.
    pub(crate) async fn forget(&self) {
        *self.newest.lock().await = None;
    }
}

async fn board(gateway: &Gateway) -> Result<Board, ApiError> {
    let ControlReply::Status(status) = gateway.ask(ControlRequest::Status {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    let ControlReply::Orders { orders, omitted } = gateway.ask(ControlRequest::Orders {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    let ControlReply::Positions { positions } = gateway.ask(ControlRequest::Positions {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    let ControlReply::Denials { refused, recent } = gateway.ask(ControlRequest::Denials {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    Ok(Board {
        status: *status,
        orders,
        orders_omitted: omitted,
        positions,
        refused,
        recent_refusals: recent,
    })
}
