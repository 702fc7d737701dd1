"""The strategy against an independent reference, and against itself in other frames and after a restart."""

import tomllib
import unittest
from pathlib import Path

from ema_cross import EmaCross
from portcullis import InitError, Market, Metric, Place, RestoreError, Side, TimeInForce, Trade
from portcullis.testing import Driver, FrameBuilder, Harness, instrument, setup

BTC = instrument("linear:BTCUSDT")
ETH = instrument("linear:ETHUSDT")
MASK = FOREVER = 2**64 - 1


def series(length):
    """The series of the benchmarks: a random walk of ticks of 0.1, made by counting, so that any language can make it."""
    ticks, trades = 600_000, []
    for n in range(length):
        z = (42 + (n + 1) * 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        r = z ^ (z >> 31)
        ticks += r % 5 - 2
        time = 1_735_689_600_000_000_000 + n * 100_000_000
        taker = Side.BUY if (r >> 20) & 1 else Side.SELL
        trades.append(Trade(time, 0, time, ticks, 1 + (r >> 8) % 1_000, taker))
    return trades


def reference(trades, fast, slow):
    """The crosses of a series: index of the trade, and the side of its order."""
    fast_weight, slow_weight = 2 / (fast + 1), 2 / (slow + 1)
    f = s = trades[0].price / 10
    before, crosses = None, []
    for n, trade in enumerate(trades):
        price = trade.price / 10
        f = fast_weight * price + (1 - fast_weight) * f
        s = slow_weight * price + (1 - slow_weight) * s
        if n + 1 < slow:
            continue
        if before is not None and before != (f > s):
            crosses.append((n, Side.BUY if f > s else Side.SELL))
        before = f > s
    return crosses


def frame_of(trades, lookahead=FOREVER):
    frame = FrameBuilder(lookahead)
    for trade in trades:
        frame.event(trade)
    return frame.finish()


def run(trades, lookahead, size):
    """Runs the strategy in frames of at most ``size`` trades, and gives its orders by the index of their trade."""
    driver = Driver(EmaCross, setup(EmaCross, [BTC]))
    orders, at = [], 0
    while at < len(trades):
        outcome = driver.on_frame(frame_of(trades[at : at + size], lookahead))
        orders += [(at + cause, action) for cause, action in outcome.actions]
        at += outcome.consumed
    return orders


class TestEmaCross(unittest.TestCase):
    def test_every_cross_is_a_market_order_of_the_right_side(self):
        trades = series(20_000)
        orders = run(trades, FOREVER, 4_096)
        self.assertEqual([(n, place.side) for n, place in orders], reference(trades, 10, 20))
        self.assertGreater(len(orders), 500)
        for _, place in orders:
            tag = 1 if place.side is Side.BUY else 2
            self.assertEqual(place, Place(0, place.side, 10, Market(), TimeInForce.IOC, tag=tag))

    def test_frames_and_lookahead_change_nothing(self):
        trades = series(2_000)
        whole = run(trades, FOREVER, 4_096)
        for lookahead, size in [(0, 1), (0, 64), (250_000_000, 64), (FOREVER, 7)]:
            self.assertEqual(run(trades, lookahead, size), whole, f"L = {lookahead}, frames of {size}")

    def test_a_restart_forgets_nothing(self):
        trades = series(500)
        for cut in [0, 1, 19, 20, 21, 300]:
            straight = Driver(EmaCross, setup(EmaCross, [BTC, ETH]))
            if cut:
                straight.on_frame(frame_of(trades[:cut]))
            restarted = Driver(EmaCross, setup(EmaCross, [BTC, ETH]))
            restarted.restore(1, straight.snapshot())
            rest = frame_of(trades[cut:])
            self.assertEqual(restarted.on_frame(rest), straight.on_frame(rest), f"cut at {cut}")
            self.assertEqual(restarted.snapshot(), straight.snapshot())

    def test_damaged_snapshots_are_refused(self):
        fresh = lambda: Driver(EmaCross, setup(EmaCross, [BTC]))
        snapshot = fresh().snapshot()
        for length in range(len(snapshot)):
            with self.assertRaises(RestoreError, msg=f"{length} bytes"):
                fresh().restore(1, snapshot[:length])
        for version, data in [(1, snapshot + b"\0"), (2, snapshot)]:
            with self.assertRaises(RestoreError):
                fresh().restore(version, data)

    def test_each_instrument_has_its_own_averages(self):
        harness = Harness(EmaCross, [BTC, ETH], fast="1", slow="2")
        for price in ["60000", "59990"]:
            self.assertEqual(harness.trade(0, price, "1"), [])
            self.assertEqual(harness.trade(1, "3000", "1"), [])
        (place,) = harness.trade(0, "60010", "1")
        self.assertEqual((place.instrument, place.side), (0, Side.BUY))
        self.assertEqual(harness.trade(1, "3000", "1"), [])

    def test_without_orders_crosses_are_counted(self):
        harness = Harness(EmaCross, [BTC], fast="1", slow="2", orders="false")
        for price in ["60000", "59990"]:
            harness.trade(0, price, "1")
        self.assertEqual(harness.trade(0, "60010", "1"), [Metric("crosses", 1.0)])

    def test_parameters_that_make_no_sense_together_are_refused(self):
        for parameters in [{"fast": "20"}, {"size": "0.0001"}, {"size": "0"}, {"fast": "x"}]:
            with self.assertRaises(InitError, msg=str(parameters)):
                Harness(EmaCross, [BTC], **parameters)

    def test_name_and_version_are_those_of_the_package_and_of_the_manifest(self):
        folder = Path(__file__).resolve().parents[1]
        load = lambda name: tomllib.loads((folder / name).read_text())
        description = EmaCross.describe()
        for table in [load("pyproject.toml")["project"], load("strategy.toml")]:
            self.assertEqual((description.name, description.version), (table["name"], table["version"]))
