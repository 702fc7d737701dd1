"""What a strategy sees: one class per record kind of ``wit/frame.md``. ``time`` is when the strategy sees the event,
``venue_time`` when the venue says it happened, both in nanoseconds since 1970-01-01 UTC."""

from enum import Enum
from typing import NamedTuple

from .actions import Side
from .refusal import refusal_name


class OrderStatus(Enum):
    """Where an own order stands."""

    SUBMITTED = 1
    """Approved and journaled, on its way."""
    UNKNOWN = 2
    """Sent without an answer yet. It may be working: the host finds out, and nobody sends it again."""
    WORKING = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    CANCELLED = 6
    REJECTED = 7
    """The venue said no."""
    EXPIRED = 8
    UNTRIGGERED = 9
    """Waiting for its trigger."""
    NOT_SENT = 10

    @property
    def is_resting(self) -> bool:
        """Whether the order rests at the venue, so that it can be amended and cancelled."""
        return self in (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNTRIGGERED)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can happen to the order."""
        return not self.is_resting and self not in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)


class OrderReason(Enum):
    """Why an own order stands where it stands."""

    NONE = 0
    WOULD_TAKE = 1
    NO_LIQUIDITY = 2
    REDUCE_ONLY = 3
    INSUFFICIENT_MARGIN = 4
    PRICE_LIMIT = 5
    BY_STRATEGY = 6
    BY_OPERATOR = 7
    SELF_MATCH = 8
    GOOD_TILL = 9
    LIQUIDATION = 10
    VENUE_RULES = 11
    OTHER = 12
    """Something else, or a number that this SDK does not know yet."""


class Liquidity(Enum):
    """Whether an execution gave liquidity or took it."""

    MAKER = 1
    TAKER = 2


class RefusedAction(Enum):
    """The kind of action that was refused."""

    PLACE = 1
    AMEND = 2
    CANCEL = 3
    CANCEL_ALL = 4
    FLATTEN = 5


class TradingState(Enum):
    """What the host lets through; each state is stricter than the one before."""

    ACTIVE = 0
    CAUTION = 1
    REDUCE_ONLY = 2
    ENTRIES_CANCELLED = 3
    FLATTENING = 4
    LOCKED = 5


class InstrumentStatus(Enum):
    """Whether the venue trades an instrument now."""

    TRADING = 1
    NOT_TRADING = 2


class GapCause(Enum):
    """Why market data was left out."""

    CONFLATION = 1
    """The strategy was slower than the market."""
    DISCONNECT = 2
    FAULT = 3
    """The strategy was restarted after a fault."""
    SKIPPED_FRAME = 4
    """The frame that caused a fault was left out."""


class Trade(NamedTuple):
    """A public trade; ``taker`` is the side of the order that took liquidity."""

    time: int
    instrument: int
    venue_time: int
    price: int
    quantity: int
    taker: Side


class Quote(NamedTuple):
    """Best bid and ask; a side without orders has quantity 0 and a meaningless price."""

    time: int
    instrument: int
    venue_time: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class Level(NamedTuple):
    """One level of a book."""

    price: int
    quantity: int


class Book(NamedTuple):
    """The best levels of the book, best first."""

    time: int
    instrument: int
    venue_time: int
    update: int
    """The venue's number of this state of the book."""
    bids: list[Level]
    asks: list[Level]


class Bar(NamedTuple):
    """A closed bar; ``venue_time`` is when it closed."""

    time: int
    instrument: int
    venue_time: int
    open_time: int
    interval_seconds: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class Funding(NamedTuple):
    """A funding rate in units of 1e-12; positive means that long positions pay."""

    time: int
    instrument: int
    venue_time: int
    rate: int
    next_time: int


class Mark(NamedTuple):
    """Mark and index price in units of 1e-18 of the quote coin; the index is 0 when unknown."""

    time: int
    instrument: int
    venue_time: int
    mark: int
    index: int


class OwnOrder(NamedTuple):
    """A change of an own order."""

    time: int
    instrument: int
    venue_time: int
    order: int
    tag: int
    price: int
    """Limit price; zero for a market order."""
    quantity: int
    executed: int
    side: Side
    status: OrderStatus
    reason_number: int

    @property
    def reason(self) -> OrderReason:
        """Why it stands there."""
        number = self.reason_number
        return OrderReason(number) if number < OrderReason.OTHER.value else OrderReason.OTHER


class Fill(NamedTuple):
    """An execution of an own order."""

    time: int
    instrument: int
    venue_time: int
    order: int
    tag: int
    price: int
    quantity: int
    """Quantity of this execution."""
    fee: int
    """In units of 1e-18 of the quote coin; negative is a rebate."""
    side: Side
    liquidity: Liquidity
    executed: int
    """Quantity of the order executed so far, this execution included."""


class Refusal(NamedTuple):
    """The host refused an action; nothing was sent."""

    time: int
    instrument: int | None
    order: int | None
    """The order, if the action named one or would have placed one."""
    tag: int
    code: int
    action: RefusedAction

    @property
    def name(self) -> str:
        """The stable name of the code, as in logs and the journal."""
        return refusal_name(self.code)


class Position(NamedTuple):
    """The position in an instrument; a negative quantity is short. Money is in units of 1e-18 of the quote coin."""

    time: int
    instrument: int
    quantity: int
    cost: int
    realised: int
    fees: int


class Budget(NamedTuple):
    """The strategy's capital, what of it is free for new orders, and what the host lets through."""

    time: int
    capital: int
    free: int
    state: TradingState


class InstrumentUpdate(NamedTuple):
    """New trading rules of an instrument; ``ctx.instrument`` has them already when the handler runs."""

    time: int
    instrument: int
    status: InstrumentStatus
    price_decimals: int
    quantity_decimals: int
    tick: int
    step: int
    min_quantity: int
    max_quantity: int
    max_market_quantity: int
    min_notional: int
    taker_fee: int
    maker_fee: int
    venue_time: int


class TimerFired(NamedTuple):
    """A timer fired; it is no longer set."""

    time: int
    id: int


class Gap(NamedTuple):
    """Market data was left out; ``dropped`` is 0 when nobody knows how much."""

    time: int
    instrument: int | None
    dropped: int
    cause: GapCause


class WarmUpEnd(NamedTuple):
    """The warm-up is over; orders are possible from here on."""

    time: int


class Resync(NamedTuple):
    """The truth after a restart: own open orders, position, budget and books follow with the same time."""

    time: int
    open_orders: int
    next_order: int


class Signal(NamedTuple):
    """An input from outside that the manifest declares, authenticated and journaled by the host."""

    time: int
    instrument: int | None
    channel: int
    payload: bytes
