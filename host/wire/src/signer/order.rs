//! The closed list of requests that the trade key signs.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{AmendOrder, Batch, CancelAll, CancelOrder, CreateOrder, TradingStop, path};

/// What the trade key may be used for.
#[expect(
    clippy::large_enum_variant,
    reason = "made, signed and dropped at once; a box is one more allocation per order"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderRequest {
    /// A new order.
    Create(CreateOrder),
    /// A change.
    Amend(AmendOrder),
    /// A cancel.
    Cancel(CancelOrder),
    /// Cancels of many.
    CancelAll(CancelAll),
    /// Protection of a position.
    TradingStop(TradingStop),
    /// Cancels of several orders, each with an outcome of its own.
    CancelBatch(Batch<CancelOrder>),
}

/// Which of the list a request is: what goes over the signer's socket beside the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum OrderKind {
    /// A new order.
    Create,
    /// A change.
    Amend,
    /// A cancel.
    Cancel,
    /// Cancels of many.
    CancelAll,
    /// Protection of a position.
    TradingStop,
    /// Cancels of several orders.
    CancelBatch,
}

impl OrderKind {
    /// Where it is posted.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Create => path::CREATE,
            Self::Amend => path::AMEND,
            Self::Cancel => path::CANCEL,
            Self::CancelAll => path::CANCEL_ALL,
            Self::TradingStop => path::TRADING_STOP,
            Self::CancelBatch => path::CANCEL_BATCH,
        }
    }

    /// Whether it takes orders away and does nothing else.
    pub const fn is_cancel(self) -> bool {
        matches!(self, Self::Cancel | Self::CancelAll | Self::CancelBatch)
    }
}

impl OrderRequest {
    /// Which of the list it is.
    pub const fn kind(&self) -> OrderKind {
        match self {
            Self::Create(_) => OrderKind::Create,
            Self::Amend(_) => OrderKind::Amend,
            Self::Cancel(_) => OrderKind::Cancel,
            Self::CancelAll(_) => OrderKind::CancelAll,
            Self::TradingStop(_) => OrderKind::TradingStop,
            Self::CancelBatch(_) => OrderKind::CancelBatch,
        }
    }

    /// Where it is posted.
    pub const fn path(&self) -> &'static str {
        self.kind().path()
    }

    /// The operation's name on the trade stream; `None` for what goes by REST only.
    pub const fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Create(_) => Some("order.create"),
            Self::Amend(_) => Some("order.amend"),
            Self::Cancel(_) => Some("order.cancel"),
            Self::CancelAll(_) | Self::TradingStop(_) | Self::CancelBatch(_) => None,
        }
    }

    /// The request's bytes, which are signed and posted as they are.
    ///
    /// # Errors
    /// Never with the shapes of this list; the serialiser's error where it has one.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Create(request) => serde_json::to_vec(request),
            Self::Amend(request) => serde_json::to_vec(request),
            Self::Cancel(request) => serde_json::to_vec(request),
            Self::CancelAll(request) => serde_json::to_vec(request),
            Self::TradingStop(request) => serde_json::to_vec(request),
            Self::CancelBatch(request) => serde_json::to_vec(request),
        }
    }

    /// Reads what somebody else wrote as a request of a kind. Only bytes that this side would write in the same way are taken, so that
    /// nothing is read past and dropped: no unknown member, no number for a text, no second spelling.
    ///
    /// # Errors
    /// When the bytes are anything else.
    pub fn read(kind: OrderKind, body: &[u8]) -> Result<Self, OtherRequest> {
        Ok(match kind {
            OrderKind::Create => Self::Create(exactly(body)?),
            OrderKind::Amend => Self::Amend(exactly(body)?),
            OrderKind::Cancel => Self::Cancel(exactly(body)?),
            OrderKind::CancelAll => Self::CancelAll(exactly(body)?),
            OrderKind::TradingStop => Self::TradingStop(exactly(body)?),
            OrderKind::CancelBatch => Self::CancelBatch(exactly(body)?),
        })
    }
}

/// Bytes that are no request of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a request of this version of the client")]
pub struct OtherRequest;

fn exactly<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<T, OtherRequest> {
    let request: T = serde_json::from_slice(body).map_err(|_| OtherRequest)?;
    let again = serde_json::to_vec(&request).map_err(|_| OtherRequest)?;
    if again == body { Ok(request) } else { Err(OtherRequest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Category;

    fn cancel() -> OrderRequest {
        OrderRequest::Cancel(CancelOrder {
            category: Category::Linear,
            symbol: "BTCUSDT".to_owned(),
            order_link_id: Some("p0010".to_owned()),
            ..CancelOrder::default()
        })
    }

    #[test]
    fn a_request_is_read_back_as_it_was_written() {
        let body = cancel().body().unwrap();
        assert_eq!(OrderRequest::read(OrderKind::Cancel, &body), Ok(cancel()));
    }

    #[test]
    fn what_would_be_dropped_or_rewritten_is_refused() {
        for body in [
            r#"{"category":"linear","symbol":"BTCUSDT","orderLinkId":"p0010","qty":"1"}"#,
            r#"{"category":"linear","symbol":"BTCUSDT","orderLinkId":"p0010" }"#,
            r#"{"symbol":"BTCUSDT","category":"linear","orderLinkId":"p0010"}"#,
            r#"{"category":"linear","symbol":"BTCUSDT","orderLinkId":null}"#,
            "",
            "[]",
        ] {
            assert_eq!(OrderRequest::read(OrderKind::Cancel, body.as_bytes()), Err(OtherRequest), "{body}");
        }
        let body = cancel().body().unwrap();
        assert_eq!(OrderRequest::read(OrderKind::Create, &body), Err(OtherRequest), "another kind");
    }
}
