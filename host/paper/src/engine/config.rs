//! How the exchange behaves where Bybit leaves it to the account or does not say.

use portcullis_core::{Amount, Rate, Span};

use super::coin::Coin;
use super::money::coins;

/// How the exchange behaves where Bybit leaves it to the account or does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// USDT in the wallet at the start.
    pub deposit: Amount,
    /// Other coins in the wallet at the start.
    pub coins: Vec<(Coin, Amount)>,
    /// Leverage of a position at first, in hundredths.
    pub leverage: u32,
    /// Whether linear instruments start in hedge mode; otherwise in one-way mode.
    pub hedged: bool,
    /// How far a market order may go from the best price, in ten-thousandths.
    pub slippage_bps: u32,
    /// How far a limit order may cross the mark (spot: the last price), in ten-thousandths. Beyond it a linear order is moved to the
    /// bound and a spot order is refused, as Bybit does by default. `None` lets every price through.
    pub price_band_bps: Option<u32>,
    /// Funding rate until the data names one.
    pub funding_rate: Rate,
    /// Time between funding payments; boundaries are its multiples since 1970.
    pub funding_interval: Span,
    /// Most working orders of the account.
    pub orders_max: usize,
    /// Most waiting client conditions of one linear instrument.
    pub conditions_max: usize,
    /// Most waiting conditions of one spot instrument, of each of Bybit's two kinds.
    pub spot_conditions_max: usize,
}

impl Default for EngineConfig {
    /// 100,000 USDT and nothing else, 10× leverage, one-way mode, 5 % slippage bound, no price band, 0.01 % funding every 8 h, 500
    /// orders, 10 conditions of a linear and 30 of a spot instrument.
    fn default() -> Self {
        Self {
            deposit: coins(100_000),
            coins: Vec::new(),
            leverage: 1_000,
            hedged: false,
            slippage_bps: 500,
            price_band_bps: None,
            funding_rate: Rate(100_000_000),
            funding_interval: Span::from_secs(8 * 3_600),
            orders_max: 500,
            conditions_max: 10,
            spot_conditions_max: 30,
        }
    }
}
