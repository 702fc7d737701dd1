//! Moving-average cross: the smallest strategy worth running.
//!
//! Two exponential averages follow the trade price. When the fast one crosses above the slow one, buy; when it crosses
//! below, sell. Plain market orders, one per cross, on every symbol that the manifest names.
//!
//! What to learn here: a description with parameters, one state per instrument, floats for indicators while sizes stay
//! exact, and a snapshot, so that a restart does not forget the averages.

use portcullis_sdk::{
    Context, Description, InitError, Instrument, Parameter, Qty, RestoreError, Setup, StateReader,
    StateWriter, Strategy, Stream, Trade,
};

/// The strategy: one pair of averages per instrument.
#[derive(Debug)]
pub struct EmaCross {
    markets: Vec<Market>,
    /// Whether to place orders, or only to count crosses.
    orders: bool,
    crosses: u32,
}

impl Strategy for EmaCross {
    fn describe() -> Description {
        Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .parameter(
                Parameter::integer("fast", "Length of the fast average, in trades.", 1, 10_000)
                    .default_value("10"),
            )
            .parameter(
                Parameter::integer("slow", "Length of the slow average, in trades.", 2, 10_000)
                    .default_value("20"),
            )
            .parameter(
                Parameter::decimal("size", "Quantity of each order, in the base coin.", "0.00001", "1000")
                    .default_value("0.01"),
            )
            .parameter(
                Parameter::boolean("orders", "Whether to place orders; otherwise crosses are only counted.")
                    .default_value("true"),
            )
            .metric("crosses")
            .subscribe(Stream::Trades)
            .snapshot_version(1)
    }

    fn new(setup: &Setup) -> Result<Self, InitError> {
        let (fast, slow): (u32, u32) = (setup.integer("fast")?, setup.integer("slow")?);
        // The host checks each parameter by itself; what they mean together is ours to check.
        if fast >= slow {
            return Err(InitError::BadParameter("fast: must be below slow".to_owned()));
        }
        let market = |instrument: &Instrument| {
            let size = instrument.round_down_to_step(setup.quantity("size", instrument)?);
            if size < instrument.min_quantity {
                return Err(InitError::BadParameter(format!(
                    "size: below the minimum of {}",
                    instrument.symbol
                )));
            }
            Ok(Market { size, averages: Averages::new(fast, slow) })
        };
        let markets = setup.instruments.iter().map(market).collect::<Result<_, _>>()?;
        Ok(Self { markets, orders: setup.boolean("orders")?, crosses: 0 })
    }

    fn on_trade(&mut self, trade: &Trade, ctx: &mut Context) {
        // Indicators may round, so they may be floats. Prices and sizes of orders never are.
        let Some(price) = ctx.instrument(trade.instrument).map(|it| it.price_to_f64(trade.price)) else {
            return;
        };
        let Some(market) = self.markets.get_mut(trade.instrument.index()) else { return };
        let Some(cross) = market.averages.update(price) else { return };
        match cross {
            _ if !self.orders => {
                self.crosses = self.crosses.saturating_add(1);
                ctx.metric("crosses", self.crosses.into());
            }
            Cross::Up => {
                ctx.buy(trade.instrument).market(market.size).tag(1);
            }
            Cross::Down => {
                ctx.sell(trade.instrument).market(market.size).tag(2);
            }
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        self.markets.iter().fold(StateWriter::new(), |writer, market| market.averages.save(writer)).finish()
    }

    fn restore(&mut self, version: u32, bytes: &[u8]) -> Result<(), RestoreError> {
        if version != 1 {
            return Err(RestoreError::UnsupportedVersion);
        }
        let mut state = StateReader::new(bytes);
        for market in &mut self.markets {
            market.averages.load(&mut state)?;
        }
        state.finish()
    }
}

portcullis_sdk::export!(EmaCross);

/// What the strategy keeps for one instrument.
#[derive(Debug)]
struct Market {
    size: Qty,
    averages: Averages,
}

/// The direction in which the fast average crossed the slow one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cross {
    Up,
    Down,
}

/// The two averages of one instrument.
#[derive(Debug)]
struct Averages {
    fast_weight: f64,
    slow_weight: f64,
    /// Trades still to come until the slow average means something.
    warm_up_left: u32,
    /// None before the first trade.
    values: Option<(f64, f64)>,
    /// Whether the fast average was above the slow one; none before the warm-up is over.
    above: Option<bool>,
}

impl Averages {
    fn new(fast: u32, slow: u32) -> Self {
        let weight = |length: u32| 2.0 / (f64::from(length) + 1.0);
        Self {
            fast_weight: weight(fast),
            slow_weight: weight(slow),
            warm_up_left: slow,
            values: None,
            above: None,
        }
    }

    /// Takes the next price and says whether the averages crossed.
    fn update(&mut self, price: f64) -> Option<Cross> {
        let (fast, slow) = self.values.unwrap_or((price, price));
        let fast = self.fast_weight * price + (1.0 - self.fast_weight) * fast;
        let slow = self.slow_weight * price + (1.0 - self.slow_weight) * slow;
        self.values = Some((fast, slow));

        self.warm_up_left = self.warm_up_left.saturating_sub(1);
        if self.warm_up_left > 0 {
            return None;
        }
        let above = fast > slow;
        match self.above.replace(above) {
            Some(before) if before != above => Some(if above { Cross::Up } else { Cross::Down }),
            Some(_) | None => None,
        }
    }

    fn save(&self, writer: StateWriter) -> StateWriter {
        let pair = |writer: StateWriter, (fast, slow)| writer.f64(fast).f64(slow);
        writer.u32(self.warm_up_left).option(self.values, pair).option(self.above, StateWriter::boolean)
    }

    fn load(&mut self, state: &mut StateReader<'_>) -> Result<(), RestoreError> {
        self.warm_up_left = state.u32()?;
        self.values = state.option(|state| Ok((state.f64()?, state.f64()?)))?;
        self.above = state.option(StateReader::boolean)?;
        Ok(())
    }
}
