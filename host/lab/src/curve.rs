//! The account's equity over a run, event by event, for its largest fall from a peak.

use portcullis_core::{Amount, InstrumentId, MarketBody, MarketEvent, Price};
use portcullis_paper::engine::Engine;

/// Follows equity: balance plus open profit at the mark.
#[derive(Debug, Default)]
pub(crate) struct Curve {
    balance: i128,
    held: Vec<Held>,
    peak: Option<i128>,
    drawdown: i128,
}

/// An open position.
#[derive(Debug)]
struct Held {
    instrument: InstrumentId,
    size: i128,
    /// Units of 1e-18 in one price mantissa times one quantity mantissa.
    unit: i128,
    cost: i128,
    open: i128,
}

impl Curve {
    /// Takes over the positions and the balance, after something changed them.
    pub(crate) fn refresh(&mut self, engine: &Engine) {
        self.balance = engine.wallet().balance.0;
        self.held.clear();
        for position in engine.positions().filter(|position| position.size.0 != 0) {
            let Some((_, open)) = engine.valuation(position.instrument) else { continue };
            let unit = engine.value(position.instrument, Price(1), portcullis_core::Qty(1)).0;
            self.held.push(Held {
                instrument: position.instrument,
                size: i128::from(position.size.0),
                unit,
                cost: position.cost.0,
                open: open.0,
            });
        }
        // Coins bought on spot are worth what they would sell for.
        for (instrument, coins) in engine.holdings().filter(|(_, coins)| coins.0 != 0) {
            let unit = engine.value(instrument, Price(1), portcullis_core::Qty(1)).0;
            let last = engine.view(instrument).and_then(|view| view.last).unwrap_or_default();
            let open = engine.value(instrument, last, coins).0;
            self.held.push(Held { instrument, size: i128::from(coins.0), unit, cost: 0, open });
        }
        self.observe();
    }

    /// Follows the marks through events during which no position changes. Call before the engine takes them in.
    pub(crate) fn pass(&mut self, engine: &Engine, events: &[MarketEvent]) {
        if self.held.is_empty() {
            return;
        }
        for event in events {
            let Some(held) = self.held.iter_mut().find(|held| held.instrument == event.instrument) else {
                continue;
            };
            match &event.body {
                MarketBody::Trade { price, .. } if engine.follows_trades(event.instrument) => {
                    let value = held.size.saturating_mul(held.unit).saturating_mul(i128::from(price.0));
                    held.open = value.saturating_sub(held.cost);
                }
                MarketBody::Mark { mark, .. } => {
                    let Some(value) = engine.value_at(event.instrument, *mark) else { continue };
                    held.open = value.0.saturating_sub(held.cost);
                }
                MarketBody::Trade { .. }
                | MarketBody::Quote { .. }
                | MarketBody::Book(_)
                | MarketBody::Bar(_)
                | MarketBody::Funding { .. } => continue,
            }
            self.observe();
        }
    }

    /// The largest fall from a peak so far.
    pub(crate) fn drawdown(&self) -> Amount {
        Amount(self.drawdown)
    }

    fn observe(&mut self) {
        let equity = self.held.iter().fold(self.balance, |sum, held| sum.saturating_add(held.open));
        let peak = self.peak.map_or(equity, |peak| peak.max(equity));
        self.peak = Some(peak);
        self.drawdown = self.drawdown.max(peak.saturating_sub(equity));
    }
}
