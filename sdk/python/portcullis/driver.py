"""Drives a strategy through frames: the one path that components and native tests share."""

from typing import NamedTuple

from . import snapshot as snapshots
from .actions import Action
from .context import Context
from .errors import FrameError
from .events import (
    Bar,
    Book,
    Budget,
    Fill,
    Funding,
    Gap,
    InstrumentStatus,
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
from .frame import Frame, decode
from .setup import Setup
from .strategy import Strategy


class Outcome(NamedTuple):
    """What a call did."""

    consumed: int
    """Events consumed, 1 to the number in the frame."""
    actions: list[tuple[int, Action]]
    """Each with the index in the frame of the event that caused it."""


class Driver:
    """A strategy with its context: takes frames, returns outcomes."""

    def __init__(self, strategy: type[Strategy], setup: Setup):
        """Makes the strategy; raises what its constructor raises."""
        self.strategy = strategy(setup)
        self.skipped = 0
        """Records of kinds that this SDK does not know, skipped so far."""
        self._ctx = Context(setup)
        it = self.strategy
        # Whether a kind always has an instrument, and its handler. Bound once: the lookup would cost as much as the decoding.
        self._handlers = {
            Trade: (True, it.on_trade),
            Quote: (True, it.on_quote),
            Book: (True, it.on_book),
            Bar: (True, it.on_bar),
            Funding: (True, it.on_funding),
            Mark: (True, it.on_mark),
            OwnOrder: (True, it.on_own_order),
            Fill: (True, it.on_fill),
            Refusal: (False, it.on_refusal),
            Position: (True, it.on_position),
            Budget: (False, it.on_budget),
            InstrumentUpdate: (True, self._on_instrument),
            TimerFired: (False, self._on_timer),
            Gap: (False, it.on_gap),
            WarmUpEnd: (False, it.on_warm_up_end),
            Resync: (False, self._on_resync),
            Signal: (False, it.on_signal),
        }

    def on_frame(self, data: bytes) -> Outcome:
        """Hands over a frame and takes the actions.

        Raises FrameError on a malformed frame. The strategy may have seen its first events, so the driver must not be used again.
        """
        frame = Frame(data)
        ctx, handlers, instruments = self._ctx, self._handlers, len(self._ctx.instruments)
        stop = ctx._stop
        stop.start_frame(frame.lookahead)
        consumed = 0
        for kind, instrument, time, at, end in frame.records():
            if consumed and stop.stops_before(time, len(ctx._actions)):
                break
            ctx._start_event(consumed, time)
            event = decode(data, kind, instrument, time, at, end)
            if event is None:
                self.skipped += 1
            else:
                needs_instrument, handle = handlers[type(event)]
                # Strategies index their state by instrument, so an id that the set-up does not have never reaches them.
                if needs_instrument and instrument >= instruments:
                    raise FrameError("unknown instrument")
                handle(event, ctx)
            consumed += 1
        return Outcome(consumed, ctx._take_actions())

    def snapshot(self) -> bytes:
        """The snapshot: the SDK's own bookkeeping, then the strategy's bytes."""
        return snapshots.encode(self._ctx._placed, self._ctx._stop.timers, self.strategy.snapshot())

    def restore(self, version: int, data: bytes) -> None:
        """Takes over a snapshot; raises RestoreError if the SDK's or the strategy's part cannot be read."""
        placed, timers, state = snapshots.decode(data)
        self.strategy.restore(version, state)
        self._ctx._placed = placed
        self._ctx._stop.timers = timers

    def _on_instrument(self, update: InstrumentUpdate, ctx: Context) -> None:
        # Decimals are frozen, so they are not taken over.
        known = ctx.instruments[update.instrument]
        known.trading = update.status is InstrumentStatus.TRADING
        known.tick = update.tick
        known.step = update.step
        known.min_quantity = update.min_quantity
        known.max_quantity = update.max_quantity
        known.max_market_quantity = update.max_market_quantity
        known.min_notional = update.min_notional
        known.taker_fee = update.taker_fee
        known.maker_fee = update.maker_fee
        self.strategy.on_instrument(update, ctx)

    def _on_timer(self, timer: TimerFired, ctx: Context) -> None:
        ctx._stop.timer_fired(timer.id)
        self.strategy.on_timer(timer, ctx)

    def _on_resync(self, resync: Resync, ctx: Context) -> None:
        # An instance without a snapshot, or one that ran in another's shadow, cannot have counted right.
        ctx._placed = max(resync.next_order - 1, 0)
        ctx._stop.forget_timers()
        self.strategy.on_resync(resync, ctx)
