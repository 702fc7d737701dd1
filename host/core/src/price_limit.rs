//! The prices that a venue takes orders at: a bid no higher, an ask no lower.

use crate::{InstrumentId, Price, Side, Span, Timestamp};

/// Limits of prices that are older than this say nothing any more: the venue moves them with its mark price.
const AGE_MAX: Span = Span::from_secs(30);

/// What the venue stated for one instrument. Market input, like a price: it is in no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceLimit {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The highest price of a buy.
    pub highest_bid: Price,
    /// The lowest price of a sale.
    pub lowest_ask: Price,
    /// When it was told.
    pub at: Timestamp,
}

impl PriceLimit {
    /// Whether it is recent enough to count.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.at) <= AGE_MAX
    }

    /// The limit for an order of this side.
    pub(crate) fn of(&self, side: Side) -> Price {
        match side {
            Side::Buy => self.highest_bid,
            Side::Sell => self.lowest_ask,
        }
    }

    /// Whether a price is one that the venue takes an order of this side at.
    pub(crate) fn allows(&self, side: Side, price: Price) -> bool {
        match side {
            Side::Buy => price <= self.highest_bid,
            Side::Sell => price >= self.lowest_ask,
        }
    }
}
