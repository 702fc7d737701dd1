"""Test a strategy natively: no component, no host, the same code path.

:class:`Harness` plays the market and the host, one event at a time; :class:`Driver` and :class:`FrameBuilder` are the level
below: whole frames with a lookahead, as a component gets them.
"""

from dataclasses import dataclass, replace

from .actions import Action, Amend, Limit, Market, Place, Side
from .driver import Driver
from .errors import InitError
from .events import (
    Bar,
    Book,
    Budget,
    Fill,
    Funding,
    Gap,
    InstrumentUpdate,
    Liquidity,
    Mark,
    OrderStatus,
    OwnOrder,
    Position,
    Quote,
    Refusal,
    RefusedAction,
    Resync,
    Signal,
    TimerFired,
    Trade,
    WarmUpEnd,
)
from .frame import FRAME_BYTES_MAX, HEADER, MAGIC, NO_INSTRUMENT, RECORD_HEADER_BYTES, RECORDS_MAX, VERSION
from . import frame as shapes
from .instrument import Instrument
from .setup import Setup
from .strategy import Strategy

__all__ = ["Driver", "FrameBuilder", "Harness", "instrument", "setup"]

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000


def instrument(symbol: str, **changes) -> Instrument:
    """A linear instrument with a tick of 0.1 and a step of 0.001; ``changes`` replace some of its rules."""
    known = Instrument(
        id=0,
        symbol=symbol,
        price_decimals=1,
        quantity_decimals=3,
        tick=1,
        step=1,
        min_quantity=1,
        max_quantity=1_000_000,
        max_market_quantity=100_000,
        min_notional=5 * 10**18,
        taker_fee=550_000_000,
        maker_fee=200_000_000,
    )
    return replace(known, **changes)


def setup(strategy: type[Strategy], instruments: list[Instrument], **parameters: str) -> Setup:
    """A set-up for ``strategy``: the instruments, numbered in their order, and the parameters of its description with their
    defaults, replaced or completed by ``parameters``, whose underscores stand for hyphens. The budget is 100,000, the start
    time 0."""
    given = {name.replace("_", "-"): value for name, value in parameters.items()}
    described = strategy.describe().parameters
    for name in given:
        if all(known.name != name for known in described):
            raise InitError.bad_parameter(f"{name}: not in the description")
    values = []
    for known in described:
        value = given.get(known.name, known.default)
        if value is None:
            raise InitError.bad_parameter(f"{known.name}: missing")
        values.append((known.name, value))
    # Copies, because rules change as events say so.
    numbered = [replace(known, id=id) for id, known in enumerate(instruments)]
    return Setup(values, numbered, 100_000 * 10**18, 0)


class FrameBuilder:
    """Builds a frame out of events: ``FrameBuilder(0).event(TimerFired(1, 7)).finish()``."""

    def __init__(self, lookahead: int):
        self._lookahead = lookahead
        self._records: list[bytes] = []

    def event(self, event) -> "FrameBuilder":
        """Adds an event."""
        kind, body = _encode(event)
        on = getattr(event, "instrument", None)
        body += bytes(-len(body) % 8)
        header = (kind, RECORD_HEADER_BYTES + len(body), NO_INSTRUMENT if on is None else on, event.time)
        return self.record(shapes._RECORD.pack(*header) + body)

    def record(self, record: bytes) -> "FrameBuilder":
        """Adds raw bytes as one record, header included, such as one of a kind that this SDK does not know."""
        self._records.append(record)
        return self

    def finish(self) -> bytes:
        """The frame."""
        count, records = len(self._records), b"".join(self._records)
        length = HEADER.size + len(records)
        if not 1 <= count <= RECORDS_MAX or length > FRAME_BYTES_MAX:
            raise ValueError("no such frame")
        return HEADER.pack(MAGIC, VERSION, 0, self._lookahead, count, length) + records


def _halves(amount: int) -> tuple[int, int]:
    return amount & ((1 << 64) - 1), amount >> 64


def _encode(event) -> tuple[int, bytes]:
    """Kind and body of an event's record."""
    match event:
        case Trade(_, _, venue_time, price, quantity, taker):
            return 1, shapes._TRADE.pack(venue_time, price, quantity, taker.value)
        case Quote():
            return 2, shapes._QUOTE.pack(*event[2:])
        case Book(_, _, venue_time, update, bids, asks):
            levels = b"".join(shapes._LEVEL.pack(*level) for level in [*bids, *asks])
            return 3, shapes._BOOK.pack(venue_time, update, len(bids), len(asks)) + levels
        case Bar():
            return 4, shapes._BAR.pack(*event[2:])
        case Funding():
            return 5, shapes._FUNDING.pack(*event[2:])
        case Mark(_, _, venue_time, mark, index):
            return 6, shapes._MARK.pack(venue_time, *_halves(mark), *_halves(index))
        case OwnOrder():
            numbers = (*event[2:8], event.side.value, event.status.value, event.reason_number)
            return 7, shapes._OWN_ORDER.pack(*numbers)
        case Fill():
            words = (event.side.value, event.liquidity.value, event.executed)
            return 8, shapes._FILL.pack(*event[2:7], *_halves(event.fee), *words)
        case Refusal(_, _, order, tag, code, action):
            return 9, shapes._REFUSAL.pack(order or 0, tag, code, action.value)
        case Position(_, _, quantity, cost, realised, fees):
            return 10, shapes._POSITION.pack(quantity, *_halves(cost), *_halves(realised), *_halves(fees))
        case Budget(_, capital, free, state):
            return 11, shapes._BUDGET.pack(*_halves(capital), *_halves(free), state.value)
        case InstrumentUpdate():
            rules = (event.status.value, *event[3:10], *_halves(event.min_notional), *event[11:])
            return 12, shapes._INSTRUMENT.pack(*rules)
        case TimerFired(_, id):
            return 13, shapes._TIMER.pack(id)
        case Gap(_, _, dropped, cause):
            return 14, shapes._GAP.pack(dropped, cause.value)
        case WarmUpEnd():
            return 15, b""
        case Resync(_, open_orders, next_order):
            return 16, shapes._RESYNC.pack(open_orders, next_order)
        case Signal(_, _, channel, payload):
            return 17, shapes._SIGNAL.pack(channel, len(payload)) + payload
    raise TypeError(f"no event: {event}")


@dataclass
class _Order:
    place: Place
    executed: int = 0


class Harness:
    """Plays the market and the host for one strategy, one event at a time; every event comes one millisecond after the last.

    It keeps book of the orders that the strategy places and of the position, so that a test says only what happens to an
    order. Nothing happens by itself. Each call returns the actions that it caused.
    """

    def __init__(self, strategy: type[Strategy], instruments: list[Instrument], **parameters: str):
        self._kind = strategy
        self._setup = lambda: setup(strategy, instruments, **parameters)
        self._driver = Driver(strategy, self._setup())
        self._orders: dict[int, _Order] = {}
        self._positions: dict[int, int] = {}
        self._instruments = self._setup().instruments
        self.now = 1_700_000_000 * _SECOND
        """Time of the next event."""

    @property
    def strategy(self) -> Strategy:
        """The strategy."""
        return self._driver.strategy

    def send(self, event) -> list[Action]:
        """Sends any event, alone in its frame, and lets a millisecond pass. Its time must be ``now`` or later."""
        self.now = event.time + _MILLISECOND
        outcome = self._driver.on_frame(FrameBuilder(0).event(event).finish())
        actions = [action for _, action in outcome.actions]
        for action in actions:
            match action:
                case Place():
                    self._orders[len(self._orders) + 1] = _Order(replace(action))
                case Amend(number, price, quantity) if number in self._orders:
                    place = self._orders[number].place
                    place.quantity = place.quantity if quantity is None else quantity
                    place.kind = place.kind if price is None else Limit(price)
        return actions

    def trade(self, on: int, price: str, quantity: str, taker: Side = Side.BUY) -> list[Action]:
        """A public trade; price and quantity are text."""
        known = self._instruments[on]
        numbers = known.parse_price(price), known.parse_quantity(quantity)
        return self.send(Trade(self.now, on, self.now, *numbers, taker))

    def quote(self, on: int, bid: str, ask: str) -> list[Action]:
        """Best bid and ask, with a quantity of one each."""
        known = self._instruments[on]
        one = known.parse_quantity("1")
        return self.send(Quote(self.now, on, self.now, known.parse_price(bid), one, known.parse_price(ask), one))

    def timer(self, id: int) -> list[Action]:
        """A timer that fires."""
        return self.send(TimerFired(self.now, id))

    def order(self, number: int, status: OrderStatus) -> list[Action]:
        """What became of an order, with the price and quantity it has after its amends."""
        order = self._orders[number]
        place = order.place
        price = place.kind.price if isinstance(place.kind, Limit) else 0
        numbers = number, place.tag, price, place.quantity, order.executed
        return self.send(OwnOrder(self.now, place.instrument, self.now, *numbers, place.side, status, 0))

    def fill(self, number: int, price: str, quantity: str) -> list[Action]:
        """An execution: the fill, then the order's new state, then the position. Fee and money are zero."""
        order = self._orders[number]
        place, on = order.place, order.place.instrument
        known = self._instruments[on]
        filled = known.parse_quantity(quantity)
        order.executed += filled
        liquidity = Liquidity.TAKER if isinstance(place.kind, Market) else Liquidity.MAKER
        numbers = number, place.tag, known.parse_price(price), filled
        actions = self.send(
            Fill(self.now, on, self.now, *numbers, 0, place.side, liquidity, order.executed)
        )
        whole = order.executed >= place.quantity
        actions += self.order(number, OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED)
        signed = filled if place.side is Side.BUY else -filled
        self._positions[on] = self._positions.get(on, 0) + signed
        return actions + self._position(on)

    def refuse(self, number: int, action: RefusedAction, code: int) -> list[Action]:
        """A refusal of an action on an order."""
        place = self._orders[number].place
        return self.send(Refusal(self.now, place.instrument, number, place.tag, code, action))

    def restart(self) -> None:
        """A restart: the strategy's snapshot moves into a new instance."""
        fresh = Driver(self._kind, self._setup())
        fresh.restore(self._kind.describe().snapshot_version, self._driver.snapshot())
        self._driver = fresh

    def resync(self, open_orders: list[int]) -> list[Action]:
        """A resync: the given orders are still working, no other is; then every position."""
        actions = self.send(Resync(self.now, len(open_orders), len(self._orders) + 1))
        for number in open_orders:
            actions += self.order(number, OrderStatus.WORKING)
        for known in self._instruments:
            actions += self._position(known.id)
        return actions

    def _position(self, on: int) -> list[Action]:
        return self.send(Position(self.now, on, self._positions.get(on, 0), 0, 0, 0))
