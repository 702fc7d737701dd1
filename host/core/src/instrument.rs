//! Instruments: the venue's trading rules, typed once.

use serde::{Deserialize, Serialize};

use crate::{Amount, InstrumentId, Price, Qty, Rate, Symbol};

/// The kinds of market we trade. Inverse contracts are refused (RULES G10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// USDT-margined perpetual contracts.
    Linear,
    /// Spot.
    Spot,
}

/// The trading rules of one instrument, as the venue states them.
///
/// Decimals are frozen when first journaled. Every mantissa below has these decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentSpec {
    /// The journal's number for it.
    pub id: InstrumentId,
    /// Its market.
    pub category: Category,
    /// Its name at the venue.
    pub symbol: Symbol,
    /// Decimals of price mantissas, 0 to 18.
    pub price_decimals: u8,
    /// Decimals of quantity mantissas, 0 to 18.
    pub quantity_decimals: u8,
    /// Smallest price step; positive.
    pub tick: Price,
    /// Smallest quantity step; positive.
    pub step: Qty,
    /// Smallest quantity of an order.
    pub min_quantity: Qty,
    /// Largest quantity of a limit order.
    pub max_quantity: Qty,
    /// Largest quantity of a market order.
    pub max_market_quantity: Qty,
    /// Smallest price × quantity of an order, in the quote coin.
    pub min_notional: Amount,
    /// Fee rate for taking liquidity.
    pub taker_fee: Rate,
    /// Fee rate for resting first.
    pub maker_fee: Rate,
    /// Whether the venue trades it now.
    pub trading: bool,
    /// Whether the venue states limits of the prices it takes orders at. Where it does, no order that adds risk passes without recent
    /// ones; a venue that has none, such as a backtest's, has nothing to hold an order against.
    pub has_price_limits: bool,
}

impl InstrumentSpec {
    /// Whether mantissas of the other mean the same here.
    pub(crate) fn has_decimals_of(&self, other: &Self) -> bool {
        self.price_decimals == other.price_decimals && self.quantity_decimals == other.quantity_decimals
    }
}
