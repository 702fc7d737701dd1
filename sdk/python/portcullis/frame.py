"""The frame: ``wit/frame.md`` is the definition, ``wit/v0.1/golden/`` pins it."""

from struct import Struct
from typing import Iterator

from .actions import Side
from .errors import FrameError
from .events import (
    Bar,
    Book,
    Budget,
    Fill,
    Funding,
    Gap,
    GapCause,
    InstrumentStatus,
    InstrumentUpdate,
    Level,
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
    TradingState,
    WarmUpEnd,
)

MAGIC = 0x3146_4350
VERSION = 1
RECORDS_MAX = 4_096
FRAME_BYTES_MAX = 1_048_576
RECORD_HEADER_BYTES = 16
LEVELS_MAX = 50
PAYLOAD_BYTES_MAX = 1_024
NO_INSTRUMENT = 0xFFFF_FFFF

HEADER = Struct("<IHHQII")
_RECORD = Struct("<HHIQ")

# Bodies, from offset 16 on. 128-bit integers are two fields, the lower half first.
_TRADE = Struct("<QqqB7x")
_QUOTE = Struct("<Qqqqq")
_BOOK = Struct("<QQHH4x")
_LEVEL = Struct("<qq")
_BAR = Struct("<QQI4xqqqqq")
_FUNDING = Struct("<QqQ")
_MARK = Struct("<QQqQq")
_OWN_ORDER = Struct("<QQQqqqBBH4x")
_FILL = Struct("<QQQqqQqBB6xq")
_REFUSAL = Struct("<QQHB5x")
_POSITION = Struct("<qQqQqQq")
_BUDGET = Struct("<QqQqB7x")
_INSTRUMENT = Struct("<BBB5xqqqqqQqqqQ")
_TIMER = Struct("<Q")
_GAP = Struct("<IB3x")
_RESYNC = Struct("<I4xQ")
_SIGNAL = Struct("<HH4x")

_SIDES = {side.value: side for side in Side}
_STATUSES = {status.value: status for status in OrderStatus}
_LIQUIDITIES = {liquidity.value: liquidity for liquidity in Liquidity}
_REFUSED = {action.value: action for action in RefusedAction}
_STATES = {state.value: state for state in TradingState}
_INSTRUMENT_STATUSES = {status.value: status for status in InstrumentStatus}
_CAUSES = {cause.value: cause for cause in GapCause}


class Frame:
    """A frame whose header is checked; records are checked when they are reached."""

    __slots__ = ("bytes", "count", "lookahead")

    def __init__(self, frame: bytes):
        if len(frame) < HEADER.size:
            raise FrameError("no frame header")
        magic, version, _, self.lookahead, self.count, length = HEADER.unpack_from(frame)
        if magic != MAGIC:
            raise FrameError("no frame header")
        if version != VERSION:
            raise FrameError(f"version {version} is not supported")
        if length != len(frame) or length > FRAME_BYTES_MAX:
            raise FrameError("wrong length")
        if not 1 <= self.count <= RECORDS_MAX:
            raise FrameError("wrong number of records")
        self.bytes = frame

    def records(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Kind, instrument, time, offset of the body and end of each record, in order."""
        frame, end, last = self.bytes, HEADER.size, 0
        read, whole = _RECORD.unpack_from, len(self.bytes)
        for left in range(self.count - 1, -1, -1):
            at = end
            if at + RECORD_HEADER_BYTES > whole:
                raise FrameError("a record ends beyond the frame")
            kind, length, instrument, time = read(frame, at)
            end = at + length
            if length < RECORD_HEADER_BYTES or length % 8 or end > whole:
                raise FrameError(f"a record of {length} bytes")
            if not left and end != whole:
                raise FrameError("wrong number of records")
            if time < last:
                raise FrameError("record times go back")
            last = time
            yield kind, instrument, time, at + RECORD_HEADER_BYTES, end


def decode(frame: bytes, kind: int, instrument: int, time: int, at: int, end: int):
    """The event of a record; None if this SDK does not know its kind."""
    read = _READERS.get(kind)
    if read is None:
        return None
    try:
        shape, make = read
        if end - at < shape.size:
            raise FrameError(f"a record of kind {kind} and {end - at + RECORD_HEADER_BYTES} bytes")
        return make(frame, instrument, time, at, end)
    except KeyError as error:
        raise FrameError(f"unknown value {error} in a record of kind {kind}") from None


def _amount(low: int, high: int) -> int:
    return high << 64 | low


def _some(instrument: int) -> int | None:
    return None if instrument == NO_INSTRUMENT else instrument


def _trade(frame, instrument, time, at, _end):
    venue_time, price, quantity, side = _TRADE.unpack_from(frame, at)
    return Trade(time, instrument, venue_time, price, quantity, _SIDES[side])


def _quote(frame, instrument, time, at, _end):
    return Quote(time, instrument, *_QUOTE.unpack_from(frame, at))


def _book(frame, instrument, time, at, end):
    venue_time, update, bids, asks = _BOOK.unpack_from(frame, at)
    start = at + _BOOK.size
    middle = start + bids * _LEVEL.size
    if bids > LEVELS_MAX or asks > LEVELS_MAX or middle + asks * _LEVEL.size > end:
        raise FrameError(f"a book of {bids} bids and {asks} asks")
    levels = memoryview(frame)
    side = lambda first, count: [
        Level(*level) for level in _LEVEL.iter_unpack(levels[first : first + count * _LEVEL.size])
    ]
    return Book(time, instrument, venue_time, update, side(start, bids), side(middle, asks))


def _bar(frame, instrument, time, at, _end):
    return Bar(time, instrument, *_BAR.unpack_from(frame, at))


def _funding(frame, instrument, time, at, _end):
    return Funding(time, instrument, *_FUNDING.unpack_from(frame, at))


def _mark(frame, instrument, time, at, _end):
    venue_time, *halves = _MARK.unpack_from(frame, at)
    return Mark(time, instrument, venue_time, _amount(*halves[:2]), _amount(*halves[2:]))


def _own_order(frame, instrument, time, at, _end):
    *numbers, side, status, reason = _OWN_ORDER.unpack_from(frame, at)
    return OwnOrder(time, instrument, *numbers, _SIDES[side], _STATUSES[status], reason)


def _fill(frame, instrument, time, at, _end):
    *numbers, low, high, side, liquidity, executed = _FILL.unpack_from(frame, at)
    fee = _amount(low, high)
    return Fill(time, instrument, *numbers, fee, _SIDES[side], _LIQUIDITIES[liquidity], executed)


def _refusal(frame, instrument, time, at, _end):
    order, tag, code, action = _REFUSAL.unpack_from(frame, at)
    return Refusal(time, _some(instrument), order or None, tag, code, _REFUSED[action])


def _position(frame, instrument, time, at, _end):
    quantity, *halves = _POSITION.unpack_from(frame, at)
    amounts = (_amount(*halves[n : n + 2]) for n in (0, 2, 4))
    return Position(time, instrument, quantity, *amounts)


def _budget(frame, _instrument, time, at, _end):
    *halves, state = _BUDGET.unpack_from(frame, at)
    return Budget(time, _amount(*halves[:2]), _amount(*halves[2:]), _STATES[state])


def _instrument(frame, instrument, time, at, _end):
    status, *numbers, low, high, taker, maker, venue_time = _INSTRUMENT.unpack_from(frame, at)
    status = _INSTRUMENT_STATUSES[status]
    return InstrumentUpdate(time, instrument, status, *numbers, _amount(low, high), taker, maker, venue_time)


def _timer(frame, _instrument, time, at, _end):
    return TimerFired(time, *_TIMER.unpack_from(frame, at))


def _gap(frame, instrument, time, at, _end):
    dropped, cause = _GAP.unpack_from(frame, at)
    return Gap(time, _some(instrument), dropped, _CAUSES[cause])


def _warm_up_end(_frame, _instrument, time, _at, _end):
    return WarmUpEnd(time)


def _resync(frame, _instrument, time, at, _end):
    return Resync(time, *_RESYNC.unpack_from(frame, at))


def _signal(frame, instrument, time, at, end):
    channel, length = _SIGNAL.unpack_from(frame, at)
    start = at + _SIGNAL.size
    if length > PAYLOAD_BYTES_MAX or start + length > end:
        raise FrameError(f"a payload of {length} bytes")
    return Signal(time, _some(instrument), channel, bytes(frame[start : start + length]))


_READERS = {
    1: (_TRADE, _trade),
    2: (_QUOTE, _quote),
    3: (_BOOK, _book),
    4: (_BAR, _bar),
    5: (_FUNDING, _funding),
    6: (_MARK, _mark),
    7: (_OWN_ORDER, _own_order),
    8: (_FILL, _fill),
    9: (_REFUSAL, _refusal),
    10: (_POSITION, _position),
    11: (_BUDGET, _budget),
    12: (_INSTRUMENT, _instrument),
    13: (_TIMER, _timer),
    14: (_GAP, _gap),
    15: (Struct(""), _warm_up_end),
    16: (_RESYNC, _resync),
    17: (_SIGNAL, _signal),
}
