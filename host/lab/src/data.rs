//! What the head-to-head series comes with.

use portcullis_core::{Category, InstrumentId, InstrumentSpec, MarketEvent, Rate};
use portcullis_paper::{Fees, Listing};

use crate::h1::{H1, H1Depth};

/// The instrument of the series, with this taker fee; `None` only if the rules of BTCUSDT were dropped.
pub fn h1_instrument(taker_fee: Rate) -> Option<InstrumentSpec> {
    let mut listing = Listing::new(Fees { taker: taker_fee, ..Fees::default() });
    let id = listing.list(Category::Linear, "BTCUSDT")?;
    listing.get(id).cloned()
}

/// The first `count` trades of the series `synthetic:h1`, the same for every engine of the head-to-head.
pub fn h1_trades(instrument: InstrumentId, count: u64) -> impl Iterator<Item = MarketEvent> {
    H1::new(instrument, count)
}

/// The same trades with the book around them, about 4.2 events a trade: what engines that follow a book are measured on (RULES P4).
pub fn h1_depth(instrument: InstrumentId, count: u64) -> impl Iterator<Item = MarketEvent> {
    H1Depth::new(instrument, count)
}
