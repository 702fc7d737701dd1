"""What a strategy acts through."""

from .actions import (
    Action,
    Amend,
    Cancel,
    CancelAll,
    Flatten,
    Limit,
    Log,
    LogLevel,
    Market,
    Metric,
    Place,
    SetTimer,
    Side,
    TimeInForce,
    Trigger,
    TriggerDirection,
)
from .instrument import Instrument
from .ranges import i64, u32, u64
from .setup import Setup
from .stop import ACTIONS_PER_EVENT_MAX, Stop


class Context:
    """What a strategy acts through: every handler gets one.

    Calls record *actions*; nothing is sent before the handler returns, and the host then checks every one. There is no answer
    at once: what became of an order arrives later as an event (``on_own_order``, ``on_fill``, ``on_refusal``).

    One event may cause at most 32 actions. One more raises, which ends the instance, as the host would otherwise do.
    """

    def __init__(self, setup: Setup):
        self.instruments: list[Instrument] = setup.instruments
        """Every instrument, by id, with its trading rules as of this event."""
        self.now: int = setup.start_time
        """Time of the event being handled, in nanoseconds since 1970-01-01 UTC."""
        # The rest is the driver's.
        self._stop = Stop()
        self._placed = 0
        self._cause = 0
        self._actions: list[tuple[int, Action]] = []
        self._actions_before = 0

    def instrument(self, id: int) -> Instrument:
        """The trading rules of an instrument, as of this event. The ids that events carry always exist."""
        return self.instruments[id]

    def buy(self, instrument: int) -> "NewOrder":
        """Starts a buy order: ``ctx.buy(id).market(size)`` or ``ctx.buy(id).limit(price, size)``."""
        return NewOrder(self, Side.BUY, instrument)

    def sell(self, instrument: int) -> "NewOrder":
        """Starts a sell order."""
        return NewOrder(self, Side.SELL, instrument)

    def amend(self, order: int, *, price: int | None = None, quantity: int | None = None) -> None:
        """Changes price, total quantity (executed part included), or both; None keeps what is.

        An order takes one command at a time: until its next own-order event a second one is refused ``ORDER_BUSY``.
        """
        self._act(
            Amend(
                u64(order, "order"),
                None if price is None else i64(price, "price"),
                None if quantity is None else i64(quantity, "quantity"),
            )
        )

    def cancel(self, order: int) -> None:
        """Cancels one order."""
        self._act(Cancel(u64(order, "order")))

    def cancel_all(self, instrument: int | None = None) -> None:
        """Cancels all own orders of an instrument, or of all with none."""
        self._act(CancelAll(None if instrument is None else u32(instrument, "instrument")))

    def flatten(self, instrument: int) -> None:
        """Closes the position of an instrument: the host cancels the entries, then reduces to zero."""
        self._act(Flatten(u32(instrument, "instrument")))

    def set_timer(self, id: int, at: int) -> bool:
        """Sets a timer, or moves it if it is set; ``on_timer`` gets its id. A time in the past fires at once.

        At most 64 timers can be set at once. False if this would be one more: then nothing is set. A resync forgets every timer.
        """
        is_set = self._stop.set_timer(self.now, u64(id, "timer id"), u64(at, "time"))
        if is_set:
            self._push(SetTimer(id, at))
        return is_set

    def clear_timer(self, id: int) -> None:
        """Removes a timer; nothing happens if it is not set."""
        self._stop.set_timer(self.now, u64(id, "timer id"), None)
        self._push(SetTimer(id, None))

    def log(self, message: str, level: LogLevel = LogLevel.INFO) -> None:
        """Writes a line to the strategy's log. The host cuts it at 1,024 bytes and limits the rate."""
        self._push(Log(level, str(message)))

    def metric(self, name: str, value: float) -> None:
        """Sets a gauge. The description must name it; the host drops any other."""
        self._push(Metric(name, float(value)))

    def _act(self, action: Action) -> None:
        """Records an action whose consequence the strategy will see."""
        self._stop.action(self.now)
        self._push(action)

    def _push(self, action: Action) -> None:
        if len(self._actions) - self._actions_before >= ACTIONS_PER_EVENT_MAX:
            raise RuntimeError("one event may cause at most 32 actions")
        self._actions.append((self._cause, action))

    def _start_event(self, cause: int, time: int) -> None:
        self._cause = cause
        self.now = time
        self._actions_before = len(self._actions)

    def _take_actions(self) -> list[tuple[int, Action]]:
        actions, self._actions = self._actions, []
        return actions


class NewOrder:
    """An order that has side and instrument, but no price and quantity yet: nothing is placed before ``market`` or ``limit``."""

    def __init__(self, ctx: Context, side: Side, instrument: int):
        self._ctx = ctx
        self._side = side
        self._instrument = u32(instrument, "instrument")

    def market(self, quantity: int) -> "Placed":
        """Places it at the market; what does not fill at once within the host's collar is cancelled."""
        return self._place(quantity, Market(), TimeInForce.IOC)

    def limit(self, price: int, quantity: int) -> "Placed":
        """Places it at ``price`` or better; it rests until cancelled."""
        return self._place(quantity, Limit(i64(price, "price")), TimeInForce.GTC)

    def _place(self, quantity: int, kind: Market | Limit, time_in_force: TimeInForce) -> "Placed":
        order = Place(self._instrument, self._side, i64(quantity, "quantity"), kind, time_in_force)
        self._ctx._act(order)
        self._ctx._placed += 1
        return Placed(order, self._ctx._placed)


class Placed:
    """An order that is placed already, open for its options until the handler returns. Options chain."""

    def __init__(self, order: Place, number: int):
        self._order = order
        self.number = number
        """The order's number, to amend or cancel it and to know its events."""

    def tag(self, tag: int) -> "Placed":
        """Sets the strategy's own mark, echoed in every event of the order; 0 without it."""
        self._order.tag = u64(tag, "tag")
        return self

    def reduce_only(self) -> "Placed":
        """The order may only reduce the position."""
        self._order.reduce_only = True
        return self

    def post_only(self) -> "Placed":
        """A limit order that would take is cancelled instead."""
        self._order.time_in_force = TimeInForce.POST_ONLY
        return self

    def immediate_or_cancel(self) -> "Placed":
        """What does not fill at once is cancelled. Market orders always are so."""
        self._order.time_in_force = TimeInForce.IOC
        return self

    def fill_or_kill(self) -> "Placed":
        """The order fills whole at once or not at all."""
        self._order.time_in_force = TimeInForce.FOK
        return self

    def when_risen_to(self, price: int) -> "Placed":
        """Holds the order back until the last price is at or above ``price``."""
        self._order.trigger = Trigger(i64(price, "price"), TriggerDirection.RISE)
        return self

    def when_fallen_to(self, price: int) -> "Placed":
        """Holds the order back until the last price is at or below ``price``."""
        self._order.trigger = Trigger(i64(price, "price"), TriggerDirection.FALL)
        return self

    def take_profit(self, price: int) -> "Placed":
        """Attaches a take-profit to the position."""
        self._order.take_profit = i64(price, "price")
        return self

    def stop_loss(self, price: int) -> "Placed":
        """Attaches a stop-loss to the position."""
        self._order.stop_loss = i64(price, "price")
        return self

    def good_till(self, time: int) -> "Placed":
        """The host cancels what is left at ``time``."""
        self._order.good_till = u64(time, "time")
        return self
