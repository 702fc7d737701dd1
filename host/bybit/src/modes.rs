//! Position mode and leverage of each contract, read and never set: a symbol in hedge mode refuses every order of ours with the words
//! "position idx not match position mode" (lesson 16), so nothing is armed while one is.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use portcullis_core::Category;
use portcullis_wire as wire;
use tokio::sync::Notify;

use crate::live_gate;
use crate::rest::QueryError;
use crate::shared::Shared;

/// What the venue said of each symbol's mode. Rows of positions name it even when flat.
#[derive(Debug, Default)]
pub(crate) struct Modes {
    known: Mutex<BTreeMap<String, Mode>>,
    /// Wakes whoever compares the account once a symbol is in doubt.
    pub(crate) doubted: Notify,
}

/// One symbol's mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) hedged: bool,
    /// As the venue writes it; empty where it does not say.
    pub(crate) leverage: String,
}

impl Modes {
    /// An order was refused for the mode: what was read before counts no more.
    pub(crate) fn doubt(&self) {
        self.with(BTreeMap::clear);
        self.doubted.notify_one();
    }

    /// Whether a symbol is known to be in hedge mode.
    pub(crate) fn any_hedged(&self) -> bool {
        self.with(|known| known.values().any(|mode| mode.hedged))
    }

    /// What is known, by symbol.
    pub(crate) fn all(&self) -> Vec<(String, Mode)> {
        self.with(|known| known.iter().map(|(symbol, mode)| (symbol.clone(), mode.clone())).collect())
    }

    /// Forgets everything, so that the next [`read`] asks anew.
    pub(crate) fn forget(&self) {
        self.with(BTreeMap::clear);
    }

    fn knows(&self, symbol: &str) -> bool {
        self.with(|known| known.contains_key(symbol))
    }

    /// Takes in the rows of one symbol.
    fn learn(&self, symbol: &str, rows: &[wire::Position]) {
        let hedged = rows.iter().any(|row| row.position_idx != 0);
        let leverage = rows.first().map(|row| row.leverage.clone()).unwrap_or_default();
        self.with(|known| known.insert(symbol.to_owned(), Mode { hedged, leverage }));
    }

    fn with<T>(&self, body: impl FnOnce(&mut BTreeMap<String, Mode>) -> T) -> T {
        body(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Asks for the mode of every contract followed that is not known. True when one is in hedge mode.
pub(crate) async fn read(shared: &Shared) -> Result<bool, QueryError> {
    let followed = shared.followed();
    let contracts = followed.table().iter().filter(|listing| listing.spec.category == Category::Linear);
    for listing in contracts {
        let symbol = listing.spec.symbol.as_str();
        if !shared.modes.knows(symbol) {
            let rows = shared.rest.positions_in(symbol).await?;
            shared.modes.learn(symbol, &rows);
            if rows.iter().any(|row| row.position_idx != 0) {
                tracing::error!("{}", live_gate::hedged(symbol));
            }
        }
    }
    Ok(shared.modes.any_hedged())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(index: i64) -> wire::Position {
        wire::Position { position_idx: index, leverage: "10".to_owned(), ..wire::Position::default() }
    }

    #[test]
    fn two_sides_are_hedge_mode_and_a_refusal_asks_anew() {
        let modes = Modes::default();
        modes.learn("BTCUSDT", &[row(0)]);
        assert!(!modes.any_hedged() && modes.knows("BTCUSDT"));
        modes.learn("ETHUSDT", &[row(1), row(2)]);
        assert!(modes.any_hedged());
        modes.doubt();
        assert!(!modes.knows("ETHUSDT") && modes.all().is_empty());
    }
}
