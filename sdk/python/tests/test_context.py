"""Actions as the contract wants them, order numbers, timers and restarts."""

import unittest

from portcullis import (
    Description,
    InstrumentStatus,
    InstrumentUpdate,
    Limit,
    Market,
    OrderStatus,
    Place,
    RestoreError,
    Resync,
    Side,
    Strategy,
    TimeInForce,
    Trade,
    Trigger,
    TriggerDirection,
)
from portcullis.errors import FrameError
from portcullis.testing import Driver, FrameBuilder, Harness, instrument, setup

BTC = instrument("linear:BTCUSDT")


def scripted(act):
    """A strategy that runs ``act(ctx)`` at every trade and keeps what else it sees."""

    class Scripted(Strategy):
        @staticmethod
        def describe():
            return Description("scripted", "0.1.0")

        def __init__(self, setup):
            self.seen = []

        def on_trade(self, trade, ctx):
            act(ctx)

        def on_own_order(self, order, ctx):
            self.seen.append((order.order, order.status, order.executed))

        def on_instrument(self, update, ctx):
            self.seen.append(ctx.instrument(update.instrument))

    return Scripted


class TestContext(unittest.TestCase):
    def test_orders_carry_their_options_and_are_numbered_from_1(self):
        numbers = []

        def act(ctx):
            order = ctx.buy(0).limit(600_000, 10).post_only().tag(7).good_till(ctx.now).stop_loss(590_000)
            numbers.append(order.number)
            other = ctx.sell(0).market(20).reduce_only().when_fallen_to(580_000).take_profit(570_000)
            numbers.append(other.number)

        harness = Harness(scripted(act), [BTC])
        time = harness.now
        first, second = harness.trade(0, "60000", "1")
        self.assertEqual(numbers, [1, 2])
        limit = Place(0, Side.BUY, 10, Limit(600_000), TimeInForce.POST_ONLY)
        limit.stop_loss, limit.good_till, limit.tag = 590_000, time, 7
        self.assertEqual(first, limit)
        market = Place(0, Side.SELL, 20, Market(), TimeInForce.IOC, reduce_only=True, take_profit=570_000)
        market.trigger = Trigger(580_000, TriggerDirection.FALL)
        self.assertEqual(second, market)
        harness.fill(1, "60000", "0.004")
        self.assertEqual(harness.strategy.seen, [(1, OrderStatus.PARTIALLY_FILLED, 4)])

    def test_a_resync_sets_the_next_number_and_a_snapshot_keeps_number_and_timers(self):
        numbers = []

        def act(ctx):
            numbers.append(ctx.buy(0).market(1).number)
            ctx.set_timer(5, ctx.now + 1_000)

        strategy = scripted(act)
        fresh = lambda: Driver(strategy, setup(strategy, [BTC]))
        send = lambda to, event: to.on_frame(FrameBuilder(0).event(event).finish())
        driver, restarted = fresh(), fresh()
        send(driver, Resync(1, 0, 44))
        send(driver, Trade(2, 0, 2, 1, 1, Side.BUY))
        restarted.restore(0, driver.snapshot())
        self.assertEqual(restarted.snapshot(), driver.snapshot())
        send(restarted, Trade(3, 0, 3, 1, 1, Side.BUY))
        self.assertEqual(numbers, [44, 45])
        for damaged in (b"\2", b"\1\x41", b"", driver.snapshot()[:-1]):
            with self.assertRaises(RestoreError):
                fresh().restore(0, damaged)

    def test_a_33rd_action_and_numbers_that_do_not_fit_end_the_instance(self):
        def flood(ctx):
            for _ in range(33):
                ctx.log("x")

        for act, error in [
            (flood, RuntimeError),
            (lambda ctx: ctx.buy(0).market(1 << 63), OverflowError),
            (lambda ctx: ctx.buy(0).market(1.0), TypeError),
            (lambda ctx: ctx.buy(-1), OverflowError),
            (lambda ctx: ctx.cancel(-1), OverflowError),
        ]:
            with self.assertRaises(error):
                Harness(scripted(act), [BTC]).trade(0, "60000", "1")

    def test_trading_rules_change_before_the_handler_runs_decimals_never(self):
        harness = Harness(scripted(lambda ctx: None), [BTC])
        rules = (9, 9, 5, 2, 2, 100, 50, 10**18, 1, -1)
        harness.send(InstrumentUpdate(harness.now, 0, InstrumentStatus.NOT_TRADING, *rules, harness.now))
        (seen,) = harness.strategy.seen
        self.assertEqual((seen.tick, seen.trading, seen.price_decimals, seen.maker_fee), (5, False, 1, -1))

    def test_an_event_of_an_unknown_instrument_never_reaches_a_strategy(self):
        harness = Harness(scripted(lambda ctx: None), [BTC])
        with self.assertRaisesRegex(FrameError, "unknown instrument"):
            harness.send(Trade(harness.now, 1, harness.now, 1, 1, Side.BUY))
