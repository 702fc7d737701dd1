//! What a strategy sees. `wit/frame.md` is the definition; one struct per record kind.

use crate::action::{OrderNumber, Side};
use crate::book::Levels;
use crate::{Amount, InstrumentId, Price, Qty, Rate, RefusalCode, Time};

/// One event of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant holds the type of the same name, which is documented")]
pub enum Event<'a> {
    Trade(Trade),
    Quote(Quote),
    Book(Book<'a>),
    Bar(Bar),
    Funding(Funding),
    Mark(Mark),
    OwnOrder(OwnOrder),
    Fill(Fill),
    Refusal(Refusal),
    Position(Position),
    Budget(Budget),
    Instrument(InstrumentUpdate),
    Timer(TimerFired),
    Gap(Gap),
    WarmUpEnd(WarmUpEnd),
    Resync(Resync),
    Signal(Signal<'a>),
}

impl Event<'_> {
    /// When the strategy sees it.
    #[must_use]
    pub const fn time(&self) -> Time {
        match self {
            Event::Trade(event) => event.time,
            Event::Quote(event) => event.time,
            Event::Book(event) => event.time,
            Event::Bar(event) => event.time,
            Event::Funding(event) => event.time,
            Event::Mark(event) => event.time,
            Event::OwnOrder(event) => event.time,
            Event::Fill(event) => event.time,
            Event::Refusal(event) => event.time,
            Event::Position(event) => event.time,
            Event::Budget(event) => event.time,
            Event::Instrument(event) => event.time,
            Event::Timer(event) => event.time,
            Event::Gap(event) => event.time,
            Event::WarmUpEnd(event) => event.time,
            Event::Resync(event) => event.time,
            Event::Signal(event) => event.time,
        }
    }
}

/// A public trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue says it happened.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The price.
    pub price: Price,
    /// The quantity.
    pub quantity: Qty,
    /// Side of the order that took liquidity.
    pub taker: Side,
}

/// The best bid and ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue says it was so.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Best bid; meaningless when `bid_quantity` is zero.
    pub bid: Price,
    /// Quantity at the best bid; zero when nobody bids.
    pub bid_quantity: Qty,
    /// Best ask; meaningless when `ask_quantity` is zero.
    pub ask: Price,
    /// Quantity at the best ask; zero when nobody asks.
    pub ask_quantity: Qty,
}

impl Quote {
    /// Whether both sides are there.
    #[must_use]
    pub const fn is_two_sided(&self) -> bool {
        self.bid_quantity.is_positive() && self.ask_quantity.is_positive()
    }
}

/// The best levels of the book.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Book<'a> {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue says it was so.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The venue's number of this state of the book.
    pub update: u64,
    /// Bids, best first.
    pub bids: Levels<'a>,
    /// Asks, best first.
    pub asks: Levels<'a>,
}

/// A closed bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// When the strategy sees it.
    pub time: Time,
    /// When it closed.
    pub venue_time: Time,
    /// When it opened.
    pub open_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Its length.
    pub interval_seconds: u32,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Quantity traded, in the base coin.
    pub volume: Qty,
}

/// A funding rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue published it.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The rate; positive means that long positions pay.
    pub rate: Rate,
    /// When it is next settled.
    pub next_time: Time,
}

/// Mark and index price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue published it.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Mark price in the quote coin, exact.
    pub mark: Amount,
    /// Index price in the quote coin, exact; zero when unknown.
    pub index: Amount,
}

/// A change of an own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnOrder {
    /// When the strategy sees it.
    pub time: Time,
    /// When it happened at the venue, or at the host before it was sent.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The order.
    pub order: OrderNumber,
    /// The strategy's own mark.
    pub tag: u64,
    /// Limit price; zero for a market order.
    pub price: Price,
    /// Total quantity.
    pub quantity: Qty,
    /// Executed so far.
    pub executed: Qty,
    /// Buy or sell.
    pub side: Side,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it stands there.
    pub reason: OrderReason,
}

/// Where an own order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Approved and journaled, on its way.
    Submitted,
    /// Sent without an answer yet. It may be working: the host finds out, and nobody sends it again.
    Unknown,
    /// Resting at the venue.
    Working,
    /// Resting at the venue, partly executed.
    PartiallyFilled,
    /// Executed whole.
    Filled,
    /// Cancelled; part of it may be executed.
    Cancelled,
    /// The venue said no.
    Rejected,
    /// Its time ran out.
    Expired,
    /// Waiting for its trigger.
    Untriggered,
    /// Approved, but never sent.
    NotSent,
}

impl OrderStatus {
    /// Whether the order rests at the venue, so that it can be amended and cancelled.
    #[must_use]
    pub const fn is_resting(self) -> bool {
        matches!(self, Self::Working | Self::PartiallyFilled | Self::Untriggered)
    }

    /// Whether nothing more can happen to the order.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        match self {
            Self::Filled | Self::Cancelled | Self::Rejected | Self::Expired | Self::NotSent => true,
            Self::Submitted | Self::Unknown | Self::Working | Self::PartiallyFilled | Self::Untriggered => {
                false
            }
        }
    }
}

/// Why an own order stands where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderReason {
    /// No particular reason.
    None,
    /// A post-only order would have taken.
    WouldTake,
    /// No liquidity inside the bound of a market order.
    NoLiquidity,
    /// A reduce-only order had nothing to reduce.
    ReduceOnly,
    /// Not enough margin.
    InsufficientMargin,
    /// Outside the venue's price limit.
    PriceLimit,
    /// Cancelled by the strategy.
    ByStrategy,
    /// Cancelled by the operator or a halt.
    ByOperator,
    /// It would have met an own order.
    SelfMatch,
    /// Its good-till time is reached.
    GoodTill,
    /// Liquidation.
    Liquidation,
    /// Another rule of the venue.
    VenueRules,
    /// Something else; 12, or a number that this SDK does not know yet.
    Other(u16),
}

/// An execution of an own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// When the strategy sees it.
    pub time: Time,
    /// When it happened at the venue.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The order.
    pub order: OrderNumber,
    /// The strategy's own mark.
    pub tag: u64,
    /// Price of this execution.
    pub price: Price,
    /// Quantity of this execution.
    pub quantity: Qty,
    /// Quantity of the order executed so far, this execution included.
    pub executed: Qty,
    /// Fee in the quote coin; negative is a rebate.
    pub fee: Amount,
    /// Buy or sell.
    pub side: Side,
    /// Whether the order rested or took.
    pub liquidity: Liquidity,
}

/// Whether an execution gave liquidity or took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liquidity {
    /// The order was resting.
    Maker,
    /// The order took.
    Taker,
}

/// The host refused an action. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When the strategy sees it.
    pub time: Time,
    /// Where, if the action named an instrument or order.
    pub instrument: Option<InstrumentId>,
    /// The order, if the action named one or would have placed one.
    pub order: Option<OrderNumber>,
    /// The order's mark; 0 without an order.
    pub tag: u64,
    /// Why.
    pub code: RefusalCode,
    /// What was refused.
    pub action: RefusedAction,
}

/// The kind of action that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedAction {
    /// A new order.
    Place,
    /// A change; the order stands as it was.
    Amend,
    /// A cancel; the order stands as it was.
    Cancel,
    /// A cancel of all.
    CancelAll,
    /// A flatten.
    Flatten,
}

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

/// New trading rules of an instrument. [`Context::instrument`](crate::Context::instrument) has them already when the handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentUpdate {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue published it.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Whether the venue trades it now.
    pub trading: bool,
    /// Decimals of every price; as before.
    pub price_decimals: u8,
    /// Decimals of every quantity; as before.
    pub quantity_decimals: u8,
    /// Smallest price step.
    pub tick: Price,
    /// Smallest quantity step.
    pub step: Qty,
    /// Smallest quantity of an order.
    pub min_quantity: Qty,
    /// Largest quantity of a limit order.
    pub max_quantity: Qty,
    /// Largest quantity of a market order.
    pub max_market_quantity: Qty,
    /// Smallest price × quantity of an order.
    pub min_notional: Amount,
    /// Fee rate of an order that takes liquidity.
    pub taker_fee: Rate,
    /// Fee rate of an order that rests first.
    pub maker_fee: Rate,
}

/// A timer fired; it is no longer set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerFired {
    /// When the strategy sees it: the time it was set to, or later.
    pub time: Time,
    /// The timer.
    pub id: u64,
}

/// Market data was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the strategy sees it.
    pub time: Time,
    /// Where, if it concerns one instrument.
    pub instrument: Option<InstrumentId>,
    /// Events left out; zero when nobody knows.
    pub dropped: u32,
    /// Why.
    pub cause: GapCause,
}

/// Why market data was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapCause {
    /// The strategy was slower than the market.
    Conflation,
    /// The connection to the venue was lost.
    Disconnect,
    /// The strategy was restarted after a fault.
    Fault,
    /// The frame that caused a fault was left out.
    SkippedFrame,
}

/// The warm-up is over: everything before was history, from here on orders are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmUpEnd {
    /// When the strategy sees it.
    pub time: Time,
}

/// The truth after a restart: own open orders, position, budget and books follow as events of the same time.
///
/// An order that the strategy remembers and that does not follow is over. Every timer is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resync {
    /// When the strategy sees it.
    pub time: Time,
    /// Own open orders that follow.
    pub open_orders: u32,
    /// The number the next order will have.
    pub next_order: OrderNumber,
}

/// An input from outside that the manifest declares, authenticated and journaled by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal<'a> {
    /// When the strategy sees it.
    pub time: Time,
    /// Where, if it concerns one instrument.
    pub instrument: Option<InstrumentId>,
    /// The manifest's number of the channel.
    pub channel: u16,
    /// The message; at most 1,024 bytes.
    pub payload: &'a [u8],
}
