//! Market maker: one bid and one ask around the middle of the market, leaning against the inventory.
//!
//! Both quotes are post-only, so the strategy earns the spread and never pays it. The more it holds, the lower both
//! quotes go, until the bid is taken away at the position limit; short positions mirror that.
//!
//! What to learn here: an order takes one command at a time, so each quote remembers whether one is under way; only
//! own-order events say what became of it; a refusal is a reason to wait; and a resync is the truth.

mod market;

use market::{Market, Resting};
use portcullis_sdk::{
    Budget, Context, Description, InitError, Instrument, LogLevel, OwnOrder, Parameter, Position, Qty, Quote,
    Refusal, RefusalCode, RefusedAction, RestoreError, Resync, Setup, Side, StateReader, StateWriter,
    Strategy, Stream, Time, TradingState,
};

/// Pause on an instrument after a refusal: what was wrong a moment ago is still wrong now.
const PAUSE_SECONDS: u64 = 1;

/// The strategy: one pair of quotes per instrument.
#[derive(Debug)]
pub struct MarketMaker {
    /// Distance of each quote from the middle, as a fraction of the price.
    half_spread: f64,
    /// How far a full position moves both quotes, as a fraction of the price.
    skew: f64,
    /// How far a quote may be off before it is moved, as a fraction of the price.
    tolerance: f64,
    /// Whether the trading state lets entries through.
    entries_allowed: bool,
    markets: Vec<Market>,
}

impl Strategy for MarketMaker {
    fn describe() -> Description {
        let bps = |name, doc, default| Parameter::decimal(name, doc, "0", "1000").default_value(default);
        let quantity =
            |name, doc, default| Parameter::decimal(name, doc, "0.00001", "100000").default_value(default);
        Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .parameter(bps("spread-bps", "Distance between bid and ask, in 1/100 of a percent.", "4"))
            .parameter(bps(
                "skew-bps",
                "Shift of both quotes at a full position, in 1/100 of a percent.",
                "4",
            ))
            .parameter(bps(
                "requote-bps",
                "How far a quote may be off before it is moved, in 1/100 of a percent.",
                "1",
            ))
            .parameter(quantity("size", "Quantity of each quote, in the base coin.", "0.1"))
            .parameter(quantity("max-position", "Largest position, long or short, in the base coin.", "0.5"))
            .subscribe(Stream::Quotes)
            .metric("position")
            .snapshot_version(1)
    }

    fn new(setup: &Setup) -> Result<Self, InitError> {
        let fraction = |name| setup.float(name).map(|bps| bps / 10_000.0);
        let market = |instrument: &Instrument| {
            let size = instrument.round_down_to_step(setup.quantity("size", instrument)?);
            let max_position = setup.quantity("max-position", instrument)?;
            if size < instrument.min_quantity || size > max_position {
                let text = format!("size: below the minimum of {}, or above max-position", instrument.symbol);
                return Err(InitError::BadParameter(text));
            }
            let idle = Time::from_nanos(0);
            Ok(Market { size, max_position, position: Qty::ZERO, bid: None, ask: None, paused_until: idle })
        };
        Ok(Self {
            half_spread: fraction("spread-bps")? / 2.0,
            skew: fraction("skew-bps")?,
            tolerance: fraction("requote-bps")?,
            entries_allowed: true,
            markets: setup.instruments.iter().map(market).collect::<Result<_, _>>()?,
        })
    }

    fn on_quote(&mut self, quote: &Quote, ctx: &mut Context) {
        let Some(instrument) = ctx.instrument(quote.instrument) else { return };
        let Some(market) = self.markets.get(quote.instrument.index()) else { return };
        if !quote.is_two_sided() {
            return;
        }
        let middle = (instrument.price_to_f64(quote.bid) + instrument.price_to_f64(quote.ask)) / 2.0;
        let held =
            instrument.quantity_to_f64(market.position) / instrument.quantity_to_f64(market.max_position);
        let fair = middle * (1.0 - self.skew * held);
        let bid = instrument.price_from_f64_rounded_down(fair * (1.0 - self.half_spread));
        let ask = instrument.price_from_f64_rounded_up(fair * (1.0 + self.half_spread));
        let tolerance = instrument.price_from_f64_rounded_down(middle * self.tolerance).unwrap_or_default();

        // A post-only order at or beyond the other side would only be cancelled, so stay one tick away from it.
        let bid = bid.map(|price| price.min(quote.ask.saturating_sub(instrument.tick)));
        let ask = ask.map(|price| price.max(quote.bid.saturating_add(instrument.tick)));
        // No quote on a side whose fill would take the position over its limit.
        let may_buy =
            self.entries_allowed && market.position.saturating_add(market.size) <= market.max_position;
        let may_sell =
            self.entries_allowed && market.size.saturating_sub(market.position) <= market.max_position;

        let bid = bid.filter(|price| may_buy && price.is_positive());
        let ask = ask.filter(|_| may_sell);
        let Some(market) = self.markets.get_mut(quote.instrument.index()) else { return };
        market.move_quote(Side::Buy, bid, tolerance, quote.instrument, ctx);
        market.move_quote(Side::Sell, ask, tolerance, quote.instrument, ctx);
    }

    fn on_own_order(&mut self, order: &OwnOrder, ctx: &mut Context) {
        let Some(market) = self.markets.get_mut(order.instrument.index()) else { return };
        let quote = market.quote_mut(order.side);
        let is_ours = quote.is_none_or(|resting| resting.order == order.order);
        if order.status.is_closed() {
            if is_ours {
                *quote = None;
            }
        } else if is_ours {
            // After a resync this is also how a quote is found again.
            let busy = !order.status.is_resting();
            *quote = Some(Resting { order: order.order, price: order.price, busy });
        } else if order.status.is_resting() {
            // Two on one side can only be left over from before a restart.
            ctx.cancel(order.order);
        }
    }

    fn on_position(&mut self, position: &Position, ctx: &mut Context) {
        let Some(market) = self.markets.get_mut(position.instrument.index()) else { return };
        market.position = position.quantity;
        if let Some(instrument) = ctx.instrument(position.instrument) {
            let held = instrument.quantity_to_f64(position.quantity);
            ctx.metric("position", held);
        }
    }

    fn on_budget(&mut self, budget: &Budget, _ctx: &mut Context) {
        // The host refuses entries from here on anyway; not asking keeps the log clean.
        self.entries_allowed = budget.state < TradingState::ReduceOnly;
    }

    fn on_refusal(&mut self, refusal: &Refusal, ctx: &mut Context) {
        for market in &mut self.markets {
            for quote in [&mut market.bid, &mut market.ask] {
                let Some(resting) = quote.as_mut().filter(|it| Some(it.order) == refusal.order) else {
                    continue;
                };
                let is_gone = refusal.action == RefusedAction::Place
                    || matches!(refusal.code, RefusalCode::OrderClosed | RefusalCode::UnknownOrder);
                if is_gone {
                    *quote = None;
                } else {
                    resting.busy = false;
                }
                market.paused_until = ctx.now().plus_seconds(PAUSE_SECONDS);
                ctx.log(LogLevel::Warn, format!("refused: {}", refusal.code));
            }
        }
    }

    fn on_resync(&mut self, _resync: &Resync, _ctx: &mut Context) {
        // What is open follows as own-order events; whatever does not follow is over.
        for market in &mut self.markets {
            (market.bid, market.ask) = (None, None);
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        let writer = StateWriter::new().boolean(self.entries_allowed);
        self.markets.iter().fold(writer, |writer, market| market.save(writer)).finish()
    }

    fn restore(&mut self, version: u32, bytes: &[u8]) -> Result<(), RestoreError> {
        if version != 1 {
            return Err(RestoreError::UnsupportedVersion);
        }
        let mut state = StateReader::new(bytes);
        self.entries_allowed = state.boolean()?;
        for market in &mut self.markets {
            market.load(&mut state)?;
        }
        state.finish()
    }
}

portcullis_sdk::export!(MarketMaker);
