//! `RawIntent` → `ValidIntent`: is it an order at all? Pure rules of the instrument; nothing here knows of limits.

use crate::checks::{CHECKS_MAX, Shape, rules};
use crate::{
    Amend, Ask, Category, Cause, CheckOutcome, InstrumentId, InstrumentSpec, Order, OrderId, OrderNumber,
    Origin, Place, Price, Qty, RefusalCode, Side, State, Strategy, StrategyId, TimeInForce, Timestamp,
    Trigger,
};

/// An intent that makes sense, not yet held against any limit.
///
/// Made here and nowhere else; consumed by the review.
#[derive(Debug)]
#[must_use = "a valid intent is to be reviewed"]
pub(crate) struct ValidIntent {
    strategy: Option<StrategyId>,
    origin: Origin,
    number: OrderNumber,
    tag: u64,
    cause: Option<Cause>,
    instrument: InstrumentId,
    body: ValidBody,
    /// What the instrument's rules said; the review adds to it.
    checks: Vec<CheckOutcome>,
}

/// An intent that makes no sense, with what the instrument's rules said as far as they were asked.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub(crate) code: RefusalCode,
    pub(crate) checks: Vec<CheckOutcome>,
}

impl From<RefusalCode> for Invalid {
    fn from(code: RefusalCode) -> Self {
        Self { code, checks: Vec::new() }
    }
}

/// What a valid intent asks for.
#[derive(Debug)]
pub(crate) enum ValidBody {
    /// A new order.
    Place(ValidPlace),
    /// A change of an order that is at the venue and has no command in flight.
    Amend(ValidAmend),
    /// A cancel of an order that has been sent.
    Cancel(OrderId),
}

/// A new order, checked against the instrument's rules.
#[derive(Debug)]
pub(crate) struct ValidPlace {
    /// Buy or sell.
    pub(crate) side: Side,
    /// A positive multiple of the step within the venue's bounds.
    pub(crate) quantity: Qty,
    /// A positive multiple of the tick; `None` for market.
    pub(crate) limit: Option<Price>,
    /// How long it rests.
    pub(crate) time_in_force: TimeInForce,
    /// Whether it may only reduce.
    pub(crate) reduce_only: bool,
    /// Condition that releases it.
    pub(crate) trigger: Option<Trigger>,
    /// Take-profit to attach.
    pub(crate) take_profit: Option<Price>,
    /// Stop-loss to attach.
    pub(crate) stop_loss: Option<Price>,
    /// When the host cancels what is left.
    pub(crate) good_till: Option<Timestamp>,
}

/// A change, checked against the instrument's rules and the order's state. Holds only what really changes.
#[derive(Debug)]
pub(crate) struct ValidAmend {
    /// The order.
    pub(crate) order: OrderId,
    /// New limit price.
    pub(crate) price: Option<Price>,
    /// New total quantity.
    pub(crate) quantity: Option<Qty>,
}

impl ValidIntent {
    pub(crate) fn strategy(&self) -> Option<StrategyId> {
        self.strategy
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn number(&self) -> OrderNumber {
        self.number
    }

    pub(crate) fn tag(&self) -> u64 {
        self.tag
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.cause
    }

    pub(crate) fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    pub(crate) fn body(&self) -> &ValidBody {
        &self.body
    }

    /// Hands out what the instrument's rules said.
    pub(crate) fn take_checks(&mut self) -> Vec<CheckOutcome> {
        std::mem::take(&mut self.checks)
    }
}

/// The instrument an ask is about: the one at its index, or the one of the order it names.
pub(crate) fn instrument_of(ask: &Ask, strategy: &Strategy, state: &State) -> Option<InstrumentId> {
    let of_order =
        |number: &OrderNumber| state.orders().by_number(strategy.id, *number).map(|order| order.instrument);
    match ask {
        Ask::Place(place) => strategy.instrument(place.instrument),
        Ask::Amend(amend) => of_order(&amend.order),
        Ask::Cancel(number) => of_order(number),
        Ask::CancelAll(index) => index.and_then(|index| strategy.instrument(index)),
        Ask::Flatten(index) => strategy.instrument(*index),
    }
}

/// Checks a new order.
pub(crate) fn place(
    place: &Place,
    number: OrderNumber,
    cause: Cause,
    strategy: &Strategy,
    state: &State,
) -> Result<ValidIntent, Invalid> {
    let id = strategy.instrument(place.instrument).ok_or(RefusalCode::UnknownInstrument)?;
    let instrument = state.instrument(id).ok_or(RefusalCode::UnknownInstrument)?;
    if instrument.owner != Some(strategy.id) {
        return Err(RefusalCode::SymbolOwned.into());
    }
    let spec = &instrument.spec;
    let checks = obeys(&Shape {
        spec,
        prices: [place.limit, place.trigger.map(|trigger| trigger.price), place.take_profit, place.stop_loss],
        quantity: place.quantity,
        largest: if place.limit.is_some() { spec.max_quantity } else { spec.max_market_quantity },
        // A reduce-only order may be smaller: the venue lets the rest of a position be closed.
        value_price: place.limit.filter(|_| !place.reduce_only),
    })?;
    if let Err(code) = check_combination(place, cause, spec) {
        return Err(Invalid { code, checks });
    }
    Ok(ValidIntent {
        strategy: Some(strategy.id),
        origin: Origin::Strategy,
        number,
        tag: place.tag,
        cause: Some(cause),
        instrument: id,
        body: ValidBody::Place(ValidPlace {
            side: place.side,
            quantity: place.quantity,
            limit: place.limit,
            time_in_force: match (place.limit, place.time_in_force) {
                (None, TimeInForce::Gtc) => TimeInForce::Ioc,
                (_, asked) => asked,
            },
            reduce_only: place.reduce_only,
            trigger: place.trigger,
            take_profit: place.take_profit,
            stop_loss: place.stop_loss,
            good_till: place.good_till,
        }),
        checks,
    })
}

/// Checks a change of an order, by the same rules.
pub(crate) fn amend(
    amend: &Amend,
    cause: Cause,
    strategy: &Strategy,
    state: &State,
) -> Result<ValidIntent, Invalid> {
    let order = own_order(amend.order, strategy, state)?;
    if order.pending.is_some() || order.doubt.is_some() || !order.status.is_at_venue() || order.link.is_none()
    {
        return Err(RefusalCode::OrderBusy.into());
    }
    let instrument = state.instrument(order.instrument).ok_or(RefusalCode::UnknownInstrument)?;
    let spec = &instrument.spec;
    let price = amend.limit.filter(|price| order.price != Some(*price));
    let quantity = amend.quantity.filter(|quantity| order.quantity != *quantity);
    if price.is_none() && quantity.is_none() {
        return Err(RefusalCode::NothingToChange.into());
    }
    let value_price = amend.limit.or(order.price).ok_or(RefusalCode::Unsupported)?;
    let checks = obeys(&Shape {
        spec,
        prices: [amend.limit, None, None, None],
        quantity: amend.quantity.unwrap_or(order.quantity),
        largest: spec.max_quantity,
        value_price: Some(value_price).filter(|_| !order.reduce_only),
    })?;
    if quantity.is_some_and(|quantity| quantity <= order.executed()) {
        return Err(Invalid { code: RefusalCode::QuantityBelowMinimum, checks });
    }
    Ok(ValidIntent {
        strategy: Some(strategy.id),
        origin: Origin::Strategy,
        number: order.number,
        tag: order.tag,
        cause: Some(cause),
        instrument: order.instrument,
        body: ValidBody::Amend(ValidAmend { order: order.id, price, quantity }),
        checks,
    })
}

/// The strategy's own open order of this number.
pub(crate) fn own_order<'a>(
    number: OrderNumber,
    strategy: &Strategy,
    state: &'a State,
) -> Result<&'a Order, RefusalCode> {
    match state.orders().by_number(strategy.id, number) {
        Some(order) if order.status.is_open() => Ok(order),
        Some(_) => Err(RefusalCode::OrderClosed),
        // The count runs over refused places too; what is not in the books any more is over.
        None if number.0 >= 1 && number.0 <= strategy.places => Err(RefusalCode::OrderClosed),
        None => Err(RefusalCode::UnknownOrder),
    }
}

/// A cancel of an order with a client id; always valid.
pub(crate) fn cancel(order: &Order, origin: Origin, cause: Option<Cause>) -> ValidIntent {
    ValidIntent {
        strategy: order.strategy,
        origin,
        number: order.number,
        tag: order.tag,
        cause,
        instrument: order.instrument,
        body: ValidBody::Cancel(order.id),
        checks: Vec::new(),
    }
}

/// The host's own order that closes a position.
pub(crate) fn closing(
    instrument: InstrumentId,
    owner: Option<StrategyId>,
    side: Side,
    quantity: Qty,
) -> ValidIntent {
    ValidIntent {
        strategy: owner,
        origin: Origin::Flatten,
        number: OrderNumber(0),
        tag: 0,
        cause: None,
        instrument,
        body: ValidBody::Place(ValidPlace {
            side,
            quantity,
            limit: None,
            time_in_force: TimeInForce::Ioc,
            reduce_only: true,
            trigger: None,
            take_profit: None,
            stop_loss: None,
            good_till: None,
        }),
        checks: Vec::new(),
    }
}

/// What the instrument's rules say; the first that is broken gives the code.
fn obeys(shape: &Shape<'_>) -> Result<Vec<CheckOutcome>, Invalid> {
    let mut checks = Vec::with_capacity(CHECKS_MAX);
    checks.extend(rules(shape));
    match checks.iter().find_map(|outcome| outcome.verdict.refusal()) {
        Some(code) => Err(Invalid { code, checks }),
        None => Ok(checks),
    }
}

fn check_combination(place: &Place, cause: Cause, spec: &InstrumentSpec) -> Result<(), RefusalCode> {
    let market = place.limit.is_none();
    let rests = matches!(place.time_in_force, TimeInForce::Gtc | TimeInForce::PostOnly) && !market;
    let protected = place.take_profit.is_some() || place.stop_loss.is_some();
    let unsupported = [
        market && place.time_in_force == TimeInForce::PostOnly,
        // The collar of a market order holds now, not when a trigger is reached.
        place.trigger.is_some() && (market || place.time_in_force != TimeInForce::Gtc),
        place.reduce_only && protected,
        spec.category == Category::Spot && (place.reduce_only || protected),
        place.good_till.is_some() && !rests,
        place.good_till.is_some_and(|time| time <= cause.time),
        place.limit.is_some_and(|limit| !protects(place, limit)),
    ];
    if unsupported.contains(&true) { Err(RefusalCode::Unsupported) } else { Ok(()) }
}

/// Whether take-profit and stop-loss lie on their own sides of the price.
fn protects(place: &Place, limit: Price) -> bool {
    let (above, below) = match place.side {
        Side::Buy => (place.take_profit, place.stop_loss),
        Side::Sell => (place.stop_loss, place.take_profit),
    };
    above.is_none_or(|price| price > limit) && below.is_none_or(|price| price < limit)
}
