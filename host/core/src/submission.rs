//! The three outcomes of handing a command to the venue.

use serde::{Deserialize, Serialize};

use crate::VenueOrderId;

/// What came back for one command. A missing answer is its own outcome, never a rejection (invariant 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Submission {
    /// The venue took it; the final word comes by the private stream.
    Accepted {
        /// The venue's name for the order; absent for cancel-all and protection.
        venue_order: Option<VenueOrderId>,
    },
    /// The venue refused it, definitively.
    Rejected(VenueRejection),
    /// No answer, or one that proves nothing.
    Unknown {
        /// What happened, for the record; at most 256 bytes.
        detail: String,
    },
}

/// A definitive refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueRejection {
    /// What it means to us.
    pub kind: RejectionKind,
    /// The venue's code.
    pub code: i32,
    /// The venue's words, redacted, at most 256 bytes.
    pub message: String,
}

/// What a rejection means, over both of Bybit's code families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectionKind {
    /// A parameter is wrong.
    Invalid,
    /// Clock outside the window: not accepted, may be sent again (RULES J6).
    Timestamp,
    /// Rate limit: not accepted, may be sent again (RULES J6).
    RateLimited,
    /// Key, signature or permission.
    Unauthorised,
    /// Not enough margin or balance.
    Margin,
    /// Outside the price limits.
    PriceLimit,
    /// Reduce-only cannot be kept.
    ReduceOnly,
    /// Too many orders.
    TooManyOrders,
    /// The order does not exist, or is closed: for amend and cancel.
    NoSuchOrder,
    /// The client id exists: the earlier create was accepted.
    DuplicateLinkId,
    /// Nothing changes: what was asked for is so already.
    NotModified,
    /// The instrument does not trade.
    NotTrading,
    /// Anything else.
    Other,
}
