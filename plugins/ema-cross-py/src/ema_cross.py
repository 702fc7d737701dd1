"""Moving-average cross: the smallest strategy worth running.

Two exponential averages follow the trade price. When the fast one crosses above the slow one, buy; when it crosses below,
sell. Plain market orders, one per cross, on every symbol that the manifest names.

What to learn here: a description with parameters, one state per instrument, floats for indicators while sizes stay exact, and
a snapshot, so that a restart does not forget the averages.
"""

from enum import Enum

from portcullis import (
    Context,
    Description,
    InitError,
    Parameter,
    RestoreError,
    Setup,
    StateReader,
    StateWriter,
    Strategy,
    Stream,
    Subscription,
    Trade,
)


class EmaCross(Strategy):
    """The strategy: one pair of averages per instrument."""

    @staticmethod
    def describe() -> Description:
        return Description(
            name="ema-cross-py",
            version="0.1.0",
            parameters=[
                Parameter.integer("fast", "Length of the fast average, in trades.", 1, 10_000, 10),
                Parameter.integer("slow", "Length of the slow average, in trades.", 2, 10_000, 20),
                Parameter.decimal("size", "Quantity of each order, in the base coin.", "0.00001", "1000", "0.01"),
                Parameter.boolean("orders", "Whether to place orders; otherwise crosses are only counted.", True),
            ],
            subscriptions=[Subscription(Stream.trades())],
            metrics=["crosses"],
            snapshot_version=1,
        )

    def __init__(self, setup: Setup):
        fast, slow = setup.integer("fast"), setup.integer("slow")
        # The host checks each parameter by itself; what they mean together is ours to check.
        if fast >= slow:
            raise InitError.bad_parameter("fast: must be below slow")
        self.sizes = []
        for instrument in setup.instruments:
            size = instrument.round_down_to_step(setup.quantity("size", instrument))
            if size < instrument.min_quantity:
                raise InitError.bad_parameter(f"size: below the minimum of {instrument.symbol}")
            self.sizes.append(size)
        self.averages = [Averages(fast, slow) for _ in setup.instruments]
        self.orders = setup.boolean("orders")
        self.crosses = 0

    def on_trade(self, trade: Trade, ctx: Context) -> None:
        on = trade.instrument
        # Indicators may round, so they may be floats. Prices and sizes of orders never are.
        cross = self.averages[on].update(ctx.instrument(on).price_to_float(trade.price))
        if cross is None:
            return
        if not self.orders:
            self.crosses += 1
            ctx.metric("crosses", self.crosses)
        elif cross is Cross.UP:
            ctx.buy(on).market(self.sizes[on]).tag(1)
        else:
            ctx.sell(on).market(self.sizes[on]).tag(2)

    def snapshot(self) -> bytes:
        writer = StateWriter()
        for averages in self.averages:
            averages.save(writer)
        return writer.finish()

    def restore(self, version: int, state: bytes) -> None:
        if version != 1:
            raise RestoreError.unsupported_version()
        reader = StateReader(state)
        for averages in self.averages:
            averages.load(reader)
        reader.finish()


class Cross(Enum):
    """The direction in which the fast average crossed the slow one."""

    UP = 1
    DOWN = 2


class Averages:
    """The two averages of one instrument."""

    def __init__(self, fast: int, slow: int):
        self.fast_weight = 2 / (fast + 1)
        self.slow_weight = 2 / (slow + 1)
        # Trades still to come until the slow average means something.
        self.warm_up_left = slow
        # None before the first trade.
        self.values: tuple[float, float] | None = None
        # Whether the fast average was above the slow one; None before the warm-up is over.
        self.above: bool | None = None

    def update(self, price: float) -> Cross | None:
        """Takes the next price and says whether the averages crossed."""
        fast, slow = self.values or (price, price)
        fast = self.fast_weight * price + (1 - self.fast_weight) * fast
        slow = self.slow_weight * price + (1 - self.slow_weight) * slow
        self.values = fast, slow

        self.warm_up_left = max(self.warm_up_left - 1, 0)
        if self.warm_up_left:
            return None
        before, self.above = self.above, fast > slow
        if before is None or before == self.above:
            return None
        return Cross.UP if self.above else Cross.DOWN

    def save(self, writer: StateWriter) -> None:
        writer.u32(self.warm_up_left)
        writer.optional(self.values, lambda w, values: w.f64(values[0]).f64(values[1]))
        writer.optional(self.above, StateWriter.boolean)

    def load(self, reader: StateReader) -> None:
        self.warm_up_left = reader.u32()
        self.values = reader.optional(lambda r: (r.f64(), r.f64()))
        self.above = reader.optional(StateReader.boolean)
