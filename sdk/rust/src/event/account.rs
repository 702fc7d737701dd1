//! Position and budget.

use crate::{Amount, InstrumentId, Qty, Time};

/// The strategy's position in an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// When the strategy sees it.
    pub time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Quantity; negative is short.
    pub quantity: Qty,
    /// What the open quantity cost, in the quote coin.
    pub cost: Amount,
    /// Profit realised so far, before fees, in the quote coin.
    pub realised: Amount,
    /// Fees paid so far, in the quote coin.
    pub fees: Amount,
}

/// The strategy's capital and the account's trading state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// When the strategy sees it.
    pub time: Time,
    /// Capital in the quote coin.
    pub capital: Amount,
    /// Part of it that is free for new orders.
    pub free: Amount,
    /// What the host lets through.
    pub state: TradingState,
}

/// What the host lets through; each state is stricter than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TradingState {
    /// Everything within the limits.
    Active,
    /// Everything within the limits; the operator was warned.
    Caution,
    /// Only orders that reduce.
    ReduceOnly,
    /// Entries are cancelled, and only orders that reduce pass.
    EntriesCancelled,
    /// The host is closing the positions.
    Flattening,
    /// Nothing.
    Locked,
}
