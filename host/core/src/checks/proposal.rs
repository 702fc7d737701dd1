//! One command under review, with everything the checks look at.

use std::collections::BTreeSet;

use crate::by_instrument::ByInstrument;
use crate::exposure::{Exposure, value_of};
use crate::market_view::MarketView;
use crate::validate::{ValidAmend, ValidIntent, ValidPlace};
use crate::{
    AccountMode, Amount, Inhibits, Instrument, InstrumentId, Order, Price, Qty, Rounding, Side, SignedQty,
    State, Strategy, TimeInForce, Timestamp, Trigger, notional, notional_of,
};

use super::collar;
use super::totals::Totals;

/// The world at the moment of a review.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    /// The books.
    pub(crate) state: &'a State,
    /// The markets.
    pub(crate) market: &'a ByInstrument<MarketView>,
    /// Orders at the venue that are not ours, as far as they could move our positions.
    pub(crate) foreign: &'a ByInstrument<Exposure>,
    /// Sums over the account.
    pub(crate) totals: &'a Totals,
    /// Instruments whose book is being rebuilt.
    pub(crate) gaps: &'a BTreeSet<InstrumentId>,
    /// How the account is set up; `None` until the venue told.
    pub(crate) mode: Option<AccountMode>,
    /// What holds orders that add risk.
    pub(crate) inhibits: Inhibits,
    /// Whether the strategy that asks has seen its resync.
    pub(crate) resynced: bool,
    /// Now.
    pub(crate) now: Timestamp,
}

impl Situation<'_> {
    /// What the orders of an instrument could still do, those that are not ours included.
    pub(crate) fn exposure(&self, instrument: InstrumentId) -> Exposure {
        let ours = self.state.orders().exposure(instrument);
        self.foreign.get(instrument).map_or(ours, |foreign| ours.plus(foreign))
    }
}

/// One command under review.
#[derive(Debug)]
pub(crate) struct Proposal<'a> {
    pub(crate) situation: &'a Situation<'a>,
    pub(crate) instrument: &'a Instrument,
    /// `None` for the host's own orders on an instrument without an owner.
    pub(crate) strategy: Option<&'a Strategy>,
    pub(crate) market: Option<&'a MarketView>,
    /// Time of the causing event; `None` for the host's own.
    pub(crate) cause: Option<Timestamp>,
    pub(crate) side: Side,
    /// Total quantity of the order after the command.
    pub(crate) quantity: Qty,
    /// Quantity that can still be executed after the command.
    pub(crate) open: Qty,
    /// Quantity of that which is not reserved yet.
    pub(crate) added: i128,
    /// The order's price: the limit, or the collar of a market order. `None` when a market order has no reference.
    pub(crate) price: Option<Price>,
    /// Whether the strategy named no price; the order then has the collar's.
    pub(crate) at_market: bool,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) trigger: Option<Trigger>,
    pub(crate) stop_loss: Option<Price>,
    /// What the order contributes to the open value now; zero for a new one.
    pub(crate) replaced: Amount,
    /// Whether the order is new.
    pub(crate) is_new: bool,
}

impl<'a> Proposal<'a> {
    pub(crate) fn of_place(
        intent: &ValidIntent,
        place: &ValidPlace,
        instrument: &'a Instrument,
        situation: &'a Situation<'a>,
    ) -> Self {
        let market = situation.market.get(intent.instrument());
        let price = match place.limit {
            Some(limit) => Some(limit),
            // A reduction without a fresh price goes out as market, with the venue's own slippage bound.
            None => collar::bound(place.side, instrument, market, situation.now),
        };
        Self {
            situation,
            instrument,
            strategy: intent.strategy().and_then(|id| situation.state.strategy(id)),
            market,
            cause: intent.cause().map(|cause| cause.time),
            side: place.side,
            quantity: place.quantity,
            open: place.quantity,
            added: i128::from(place.quantity.0),
            price,
            at_market: place.limit.is_none(),
            time_in_force: place.time_in_force,
            trigger: place.trigger,
            stop_loss: place.stop_loss,
            replaced: Amount::ZERO,
            is_new: true,
        }
    }

    pub(crate) fn of_amend(
        intent: &ValidIntent,
        amend: &ValidAmend,
        order: &Order,
        instrument: &'a Instrument,
        situation: &'a Situation<'a>,
    ) -> Self {
        let quantity = amend.quantity.unwrap_or(order.quantity);
        let open = Qty(quantity.0.saturating_sub(order.accounted.0).max(0));
        Self {
            situation,
            instrument,
            strategy: intent.strategy().and_then(|id| situation.state.strategy(id)),
            market: situation.market.get(intent.instrument()),
            cause: intent.cause().map(|cause| cause.time),
            side: order.side,
            quantity,
            open,
            added: i128::from(open.0).saturating_sub(i128::from(order.exposure().0)).max(0),
            price: amend.price.or(order.price),
            at_market: false,
            time_in_force: order.time_in_force,
            trigger: order.trigger,
            stop_loss: None,
            replaced: value_of(order, &instrument.spec),
            is_new: false,
        }
    }

    /// The instrument's exposure as it is.
    pub(crate) fn exposure(&self) -> Exposure {
        self.situation.exposure(self.instrument.spec.id)
    }

    /// The instrument's exposure if this command goes through.
    pub(crate) fn exposure_after(&self) -> Exposure {
        let mut exposure = self.exposure();
        match self.side {
            Side::Buy => exposure.buys = exposure.buys.saturating_add(self.added),
            Side::Sell => exposure.sells = exposure.sells.saturating_add(self.added),
        }
        exposure
    }

    /// Whether the command makes no worst case worse: everything open on its side, it included, only closes what is held. Such a command
    /// passes also where a bound of positions is exceeded already, because a price rose, a limit was lowered or money was lost: else
    /// nothing but reduce-only orders could ever take the position back below it.
    pub(crate) fn only_closes(&self) -> bool {
        self.exposure_after().only_closes(self.side, self.position())
    }

    /// The account's position in the instrument.
    pub(crate) fn position(&self) -> SignedQty {
        self.situation.state.ledger().quantity(self.instrument.spec.id)
    }

    /// The worst price the order could trade at, for limits: a buy pays at most its price; a sell may get more than it asked.
    pub(crate) fn worst_price(&self) -> Option<Amount> {
        let spec = &self.instrument.spec;
        let own = self.price?.to_amount(spec.price_decimals)?;
        match self.side {
            Side::Buy => Some(own),
            Side::Sell => {
                Some(self.market.and_then(|market| market.highest(spec)).map_or(own, |high| high.max(own)))
            }
        }
    }

    /// The order's value at its worst price, rounded up.
    pub(crate) fn value(&self, quantity: Qty) -> Option<Amount> {
        let spec = &self.instrument.spec;
        // The exact product first, because it is the one the venue computes.
        if self.side == Side::Buy {
            return notional(
                self.price?,
                spec.price_decimals,
                quantity,
                spec.quantity_decimals,
                Rounding::Up,
            );
        }
        notional_of(self.worst_price()?, quantity, spec.quantity_decimals, Rounding::Up)
    }
}
