"""The stop rule, case by case, from wit/v0.1/golden/stop-rule.json."""

import json
import unittest
from pathlib import Path

from portcullis import Description, Side, Strategy, TimerFired, Trade
from portcullis.testing import Driver, FrameBuilder, instrument, setup

FILE = Path(__file__).resolve().parents[3] / "wit/v0.1/golden/stop-rule.json"


def script(actions):
    """A strategy that does at each event what the case says."""

    class Script(Strategy):
        @staticmethod
        def describe():
            return Description("script", "0.1.0", metrics=["gauge"])

        def __init__(self, setup):
            self.actions = iter(actions)

        def on_trade(self, trade, ctx):
            for action in next(self.actions):
                act(action, ctx)

        on_timer = on_trade

    return Script


def act(action, ctx):
    match action:
        case "place":
            ctx.buy(0).market(1)
        case "amend":
            ctx.amend(1, price=1)
        case "cancel":
            ctx.cancel(1)
        case "cancel-all":
            ctx.cancel_all()
        case "flatten":
            ctx.flatten(0)
        case "log":
            ctx.log("text")
        case "metric":
            ctx.metric("gauge", 1)
        case {"times": times, "action": repeated}:
            for _ in range(times):
                act(repeated, ctx)
        case {"set-timer": {"id": id, "at": None}}:
            ctx.clear_timer(int(id))
        case {"set-timer": {"id": id, "at": at}}:
            ctx.set_timer(int(id), int(at))
        case _:
            raise ValueError(action)


def trade(time):
    return Trade(time, 0, time, 600_000, 1, Side.BUY)


class StopRule(unittest.TestCase):
    def test_every_case_consumes_what_the_file_says(self):
        cases = json.loads(FILE.read_text())["cases"]
        self.assertGreater(len(cases), 25, "the file lost its cases")
        for case in cases:
            with self.subTest(case["name"]):
                outcome = self.run_case(case)
                self.assertEqual(outcome.consumed, case["consumed"])
                self.assertTrue(all(cause < outcome.consumed for cause, _ in outcome.actions))

    def run_case(self, case):
        timers = case.get("timers", [])
        events = [event for event in case["events"] for _ in range(event.get("repeat", 1))]
        # An event may cause 32 actions and a case may start with 64 timers, so each is set by an event of its own.
        actions = [[{"set-timer": timer}] for timer in timers] + [event.get("actions", []) for event in events]
        strategy = script(actions)
        driver = Driver(strategy, setup(strategy, [instrument("linear:BTCUSDT")]))
        for _ in timers:
            driver.on_frame(FrameBuilder(0).event(trade(0)).finish())
        frame = FrameBuilder(int(case["lookahead"]))
        for event in events:
            time = int(event["time"])
            frame.event(TimerFired(time, int(event["fires"])) if "fires" in event else trade(time))
        return driver.on_frame(frame.finish())
