//! The instruments the paper exchange lists, with Bybit's trading rules for them.

use portcullis_core::{Category, InstrumentId, InstrumentSpec, Price, Qty, Rate, Symbol};
use portcullis_wire::{decimals_of, mantissa};

use crate::engine::coins;

/// Rules of one instrument: category, symbol, base coin, tick, step, smallest quantity, largest limit and market quantity.
type Row = (
    Category,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// The instruments that can be listed. Bybit's own rules, but for the spot tick of BTCUSDT, which is that of the recordings.
const RULES: [Row; 10] = [
    (Category::Linear, "BTCUSDT", "BTC", "0.1", "0.001", "0.001", "1190", "119"),
    (Category::Linear, "ETHUSDT", "ETH", "0.01", "0.01", "0.01", "7240", "724"),
    (Category::Linear, "SOLUSDT", "SOL", "0.01", "0.1", "0.1", "79770", "7977"),
    (Category::Linear, "XRPUSDT", "XRP", "0.0001", "0.1", "0.1", "2250000", "225000"),
    (Category::Linear, "BNBUSDT", "BNB", "0.1", "0.01", "0.01", "4000", "1200"),
    (Category::Linear, "DOGEUSDT", "DOGE", "0.00001", "1", "1", "27830000", "2783000"),
    (Category::Linear, "ADAUSDT", "ADA", "0.0001", "1", "1", "5000000", "500000"),
    (Category::Linear, "LTCUSDT", "LTC", "0.01", "0.1", "0.1", "36000", "3600"),
    (Category::Spot, "BTCUSDT", "BTC", "0.01", "0.000001", "0.000001", "166", "83"),
    (Category::Spot, "ETHUSDT", "ETH", "0.01", "0.00001", "0.00001", "1963", "981"),
];

/// Fee rates of all instruments, for taking liquidity and for resting first. A negative rate is a rebate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// Taking, linear.
    pub taker: Rate,
    /// Resting, linear.
    pub maker: Rate,
    /// Taking, spot.
    pub spot_taker: Rate,
    /// Resting, spot.
    pub spot_maker: Rate,
}

/// Bybit's tiers from the ordinary account (0) to VIP 5, in hundredths of a basis point: linear taker and maker, spot taker and
/// maker.
const TIERS: [(i64, i64, i64, i64); 6] = [
    (550, 200, 1_000, 1_000),
    (400, 180, 800, 675),
    (375, 160, 775, 650),
    (350, 140, 750, 625),
    (320, 120, 600, 500),
    (320, 100, 500, 400),
];

impl Fees {
    /// The rates of a VIP level, 0 for an ordinary account; `None` above 5.
    #[must_use]
    pub fn vip(level: usize) -> Option<Self> {
        // A hundredth of a basis point is 1e-6, a rate's unit 1e-12.
        let rate = |hundredths: i64| Rate(hundredths.saturating_mul(1_000_000));
        let (taker, maker, spot_taker, spot_maker) = TIERS.get(level).copied()?;
        Some(Self {
            taker: rate(taker),
            maker: rate(maker),
            spot_taker: rate(spot_taker),
            spot_maker: rate(spot_maker),
        })
    }
}

impl Default for Fees {
    /// Bybit's for an ordinary account: 5.5 and 2 ten-thousandths of linear instruments, 10 of spot.
    fn default() -> Self {
        let spot = Rate(1_000_000_000);
        Self { taker: Rate(550_000_000), maker: Rate(200_000_000), spot_taker: spot, spot_maker: spot }
    }
}

/// Instruments by number. The numbers are the exchange's own and stay the same over restarts.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    fees: Fees,
    specs: Vec<InstrumentSpec>,
}

impl Listing {
    /// An empty listing with these fees.
    #[must_use]
    pub const fn new(fees: Fees) -> Self {
        Self { fees, specs: Vec::new() }
    }

    /// The number of an instrument, listed now if it was not; `None` when its rules are not known.
    pub fn list(&mut self, category: Category, symbol: &str) -> Option<InstrumentId> {
        if let Some(spec) = self.find(category, symbol) {
            return Some(spec.id);
        }
        let id = InstrumentId(u32::try_from(self.specs.len()).ok()?);
        let row = RULES.iter().find(|row| row.0 == category && row.1 == symbol)?;
        self.specs.push(spec(id, row, self.fees)?);
        Some(id)
    }

    /// A listed instrument.
    #[must_use]
    pub fn find(&self, category: Category, symbol: &str) -> Option<&InstrumentSpec> {
        self.specs.iter().find(|spec| spec.category == category && spec.symbol.as_str() == symbol)
    }

    /// A listed instrument by its number.
    #[must_use]
    pub fn get(&self, id: InstrumentId) -> Option<&InstrumentSpec> {
        self.specs.get(usize::try_from(id.0).ok()?)
    }

    /// All listed instruments, in the order of their numbers.
    #[must_use]
    pub fn specs(&self) -> &[InstrumentSpec] {
        &self.specs
    }

    /// The base coin of an instrument.
    pub(crate) fn base_coin(spec: &InstrumentSpec) -> &'static str {
        RULES.iter().find(|row| row.1 == spec.symbol.as_str()).map_or("", |row| row.2)
    }

    /// Whether rules for a symbol are known in any category.
    pub(crate) fn knows(symbol: &str) -> bool {
        RULES.iter().any(|row| row.1 == symbol)
    }
}

fn spec(id: InstrumentId, row: &Row, fees: Fees) -> Option<InstrumentSpec> {
    let &(category, symbol, _, tick, step, min, max, max_market) = row;
    let price_decimals = decimals_of(tick).ok()?;
    let quantity_decimals = decimals_of(step).ok()?;
    let (taker_fee, maker_fee) = match category {
        Category::Linear => (fees.taker, fees.maker),
        Category::Spot => (fees.spot_taker, fees.spot_maker),
    };
    let quantity = |text| mantissa(text, quantity_decimals).ok().map(Qty);
    Some(InstrumentSpec {
        id,
        category,
        symbol: symbol.parse::<Symbol>().ok()?,
        price_decimals,
        quantity_decimals,
        tick: Price(mantissa(tick, price_decimals).ok()?),
        step: quantity(step)?,
        min_quantity: quantity(min)?,
        max_quantity: quantity(max)?,
        max_market_quantity: quantity(max_market)?,
        min_notional: coins(5),
        taker_fee,
        maker_fee,
        trading: true,
        // These are the engine's own rules, and a backtest's. Clients of the exchange are told of its limits and ask for them.
        has_price_limits: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_tier_is_the_ordinary_account() {
        assert_eq!(Fees::vip(0), Some(Fees::default()));
        assert_eq!(Fees::vip(6), None);
    }

    #[test]
    fn every_rule_can_be_listed_once() {
        let mut listing = Listing::new(Fees::default());
        for (number, row) in RULES.iter().enumerate() {
            let id = listing.list(row.0, row.1).unwrap();
            assert_eq!((id.0 as usize, listing.list(row.0, row.1)), (number, Some(id)));
            assert!(listing.get(id).unwrap().tick.0 > 0);
        }
        assert_eq!(listing.list(Category::Linear, "NOSUCHUSDT"), None);
    }
}
