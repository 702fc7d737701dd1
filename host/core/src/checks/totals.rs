//! Sums over the whole account, kept from one decision to the next: only the instruments that something happened to are valued again,
//! so that the hundredth one costs nothing.

use std::collections::BTreeMap;

use super::worst::{Worst, WorstSum};
use crate::by_instrument::ByInstrument;
use crate::exposure::Exposure;
use crate::market_view::MarketView;
use crate::{Amount, InstrumentId, Position, State, StrategyId};

/// The sums as of the last refresh, and what they were made of.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    lines: ByInstrument<Line>,
    /// Instruments whose lines are out of date, each once.
    touched: Vec<InstrumentId>,
    /// Whether the sums were ever made, and nothing happened since that concerns all lines.
    is_whole: bool,
    worst: Option<WorstSum>,
    profit: Option<Amount>,
    strategies: BTreeMap<StrategyId, Option<Amount>>,
}

/// One instrument's part of the sums.
#[derive(Debug, Default)]
struct Line {
    worst: Option<Worst>,
    /// By whose position it is.
    profits: Vec<(Option<StrategyId>, Option<Amount>)>,
    is_touched: bool,
}

/// What lines are made from.
#[derive(Clone, Copy)]
struct Books<'a> {
    state: &'a State,
    markets: &'a ByInstrument<MarketView>,
    foreign: &'a ByInstrument<Exposure>,
}

impl Totals {
    /// Notes that a price, an order or a position of an instrument changed.
    pub(crate) fn touch(&mut self, instrument: InstrumentId) {
        match self.lines.get_mut(instrument) {
            Some(line) if line.is_touched => {}
            Some(line) => {
                line.is_touched = true;
                self.touched.push(instrument);
            }
            // It has no line yet.
            None => self.is_whole = false,
        }
    }

    /// Notes that anything may have changed.
    pub(crate) fn touch_all(&mut self) {
        self.is_whole = false;
    }

    /// Brings the sums up to date.
    pub(crate) fn refresh(
        &mut self,
        state: &State,
        markets: &ByInstrument<MarketView>,
        foreign: &ByInstrument<Exposure>,
    ) {
        let books = Books { state, markets, foreign };
        while self.is_whole
            && let Some(instrument) = self.touched.pop()
        {
            // What could not be valued before, or cannot now, has no part that could be taken out or put in.
            self.is_whole = self.renew(instrument, books).is_some();
        }
        if !self.is_whole {
            self.rebuild(books);
        }
    }

    /// The account's worst case with this instrument's replaced; `None` when something cannot be valued.
    pub(crate) fn worst_with(&self, instrument: InstrumentId, own: Option<Worst>) -> Option<WorstSum> {
        let now = self.lines.get(instrument).map_or(Some(Worst::default()), |line| line.worst);
        self.worst?.minus(now?)?.plus(own?)
    }

    /// The account's total profit, open profit included; `None` when a position cannot be valued.
    pub(crate) fn account_profit(&self) -> Option<Amount> {
        self.profit
    }

    /// The same of one strategy.
    pub(crate) fn strategy_profit(&self, strategy: StrategyId) -> Option<Amount> {
        self.strategies.get(&strategy).copied().unwrap_or(Some(Amount::ZERO))
    }

    /// Takes one instrument's part out of the sums and puts the new one in; `None` when there is a part without a value.
    fn renew(&mut self, instrument: InstrumentId, books: Books<'_>) -> Option<()> {
        let line = self.lines.get_mut(instrument)?;
        line.is_touched = false;
        let mut worst = self.worst?.minus(line.worst?)?;
        let mut profit = self.profit?;
        for (owner, part) in &line.profits {
            profit = profit.checked_sub((*part)?)?;
            take(&mut self.strategies, *owner, (*part)?)?;
        }
        line.fill(instrument, books);
        worst = worst.plus(line.worst?)?;
        for (owner, part) in &line.profits {
            profit = profit.checked_add((*part)?)?;
            take(&mut self.strategies, *owner, (*part)?.checked_neg()?)?;
        }
        (self.worst, self.profit) = (Some(worst), Some(profit));
        Some(())
    }

    /// Makes every line and all sums anew.
    fn rebuild(&mut self, books: Books<'_>) {
        self.touched.clear();
        self.strategies.clear();
        self.worst = Some(WorstSum::default());
        self.profit = Some(Amount::ZERO);
        for instrument in books.state.instruments() {
            let id = instrument.spec.id;
            let Some(line) = self.lines.entry(id) else {
                // Beyond the most instruments nothing can be bounded.
                (self.worst, self.profit) = (None, None);
                continue;
            };
            line.is_touched = false;
            line.fill(id, books);
            self.worst = self.worst.zip(line.worst).and_then(|(sum, worst)| sum.plus(worst));
            for (owner, part) in &line.profits {
                let add = |sum: Option<Amount>| sum.zip(*part).and_then(|(sum, part)| sum.checked_add(part));
                self.profit = add(self.profit);
                if let Some(owner) = owner {
                    let sum = self.strategies.entry(*owner).or_insert(Some(Amount::ZERO));
                    *sum = add(*sum);
                }
            }
        }
        self.is_whole = true;
    }
}

impl Line {
    fn fill(&mut self, id: InstrumentId, books: Books<'_>) {
        let Books { state, markets, foreign } = books;
        let market = markets.get(id);
        self.worst = state.instrument(id).and_then(|instrument| {
            let ours = state.orders().exposure(id);
            let exposure = foreign.get(id).map_or(ours, |foreign| ours.plus(foreign));
            Worst::of(instrument, &exposure, state.ledger().quantity(id), || {
                market?.highest(&instrument.spec)
            })
        });
        self.profits.clear();
        let positions = state.ledger().positions_in(id);
        self.profits.extend(positions.map(|(owner, position)| (owner, profit(id, position, state, market))));
    }
}

fn profit(
    instrument: InstrumentId,
    position: &Position,
    state: &State,
    market: Option<&MarketView>,
) -> Option<Amount> {
    if position.quantity.is_flat() {
        return position.closed_profit();
    }
    let spec = state.spec(instrument)?;
    position.total_profit(market?.valuation(spec)?, spec)
}

/// Takes a part out of a strategy's sum.
fn take(
    strategies: &mut BTreeMap<StrategyId, Option<Amount>>,
    owner: Option<StrategyId>,
    part: Amount,
) -> Option<()> {
    let Some(owner) = owner else { return Some(()) };
    let sum = strategies.entry(owner).or_insert(Some(Amount::ZERO));
    *sum = Some((*sum)?.checked_sub(part)?);
    Some(())
}
