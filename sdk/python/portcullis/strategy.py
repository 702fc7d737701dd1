"""The class that a strategy derives from."""

from .context import Context
from .description import Description
from .errors import RestoreError
from .events import (
    Bar,
    Book,
    Budget,
    Fill,
    Funding,
    Gap,
    InstrumentUpdate,
    Mark,
    OwnOrder,
    Position,
    Quote,
    Refusal,
    Resync,
    Signal,
    TimerFired,
    Trade,
    WarmUpEnd,
)
from .setup import Setup


class Strategy:
    """A trading strategy.

    Only :meth:`describe` is required; every event has a handler that does nothing unless you write it. Handlers run one at a
    time, in the order of the events' times. An exception ends the instance: every action of that call is dropped, and the host
    starts a new instance from the last snapshot.
    """

    @staticmethod
    def describe() -> Description:
        """Says what the strategy is and wants. Must give the same answer every time."""
        raise NotImplementedError

    def __init__(self, setup: Setup):
        """Makes the strategy from its parameters and instruments; raises InitError to tell why it cannot start."""

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        """A public trade."""

    def on_quote(self, quote: Quote, ctx: Context) -> None:
        """A new best bid or ask."""

    def on_book(self, book: Book, ctx: Context) -> None:
        """A new state of the book."""

    def on_bar(self, bar: Bar, ctx: Context) -> None:
        """A closed bar."""

    def on_funding(self, funding: Funding, ctx: Context) -> None:
        """A new funding rate."""

    def on_mark(self, mark: Mark, ctx: Context) -> None:
        """A new mark or index price."""

    def on_own_order(self, order: OwnOrder, ctx: Context) -> None:
        """An own order changed."""

    def on_fill(self, fill: Fill, ctx: Context) -> None:
        """An own order was executed, whole or in part."""

    def on_refusal(self, refusal: Refusal, ctx: Context) -> None:
        """The host refused an action."""

    def on_position(self, position: Position, ctx: Context) -> None:
        """The position changed."""

    def on_budget(self, budget: Budget, ctx: Context) -> None:
        """The budget or the trading state changed."""

    def on_instrument(self, update: InstrumentUpdate, ctx: Context) -> None:
        """Trading rules of an instrument changed."""

    def on_timer(self, timer: TimerFired, ctx: Context) -> None:
        """A timer fired."""

    def on_gap(self, gap: Gap, ctx: Context) -> None:
        """Market data was left out."""

    def on_warm_up_end(self, end: WarmUpEnd, ctx: Context) -> None:
        """The warm-up is over; orders are possible from here on."""

    def on_resync(self, resync: Resync, ctx: Context) -> None:
        """The truth after a restart follows: forget what you believed about open orders, and set your timers again."""

    def on_signal(self, signal: Signal, ctx: Context) -> None:
        """An external input that the manifest declares."""

    def snapshot(self) -> bytes:
        """The state that :meth:`restore` needs; at most 250 KiB. Order numbers and timers are kept by the SDK."""
        return b""

    def restore(self, version: int, state: bytes) -> None:
        """Takes over a snapshot, right after ``__init__``; raises RestoreError if it cannot."""
        if state:
            raise RestoreError.unsupported_version()
