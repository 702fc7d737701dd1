"""The golden frames of wit/v0.1/golden, read as every reader must."""

import json
import unittest
from enum import Enum
from pathlib import Path

from portcullis import events
from portcullis.errors import FrameError
from portcullis.frame import Frame, decode
from portcullis.testing import FrameBuilder

GOLDEN = Path(__file__).resolve().parents[3] / "wit/v0.1/golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.frame"))

KINDS = {
    events.OwnOrder: "own-order",
    events.InstrumentUpdate: "instrument",
    events.TimerFired: "timer",
    events.WarmUpEnd: "warm-up-boundary",
}
# Fields that wit/frame.md calls something else.
FIELDS = {
    (events.Trade, "taker"): "side",
    (events.Quote, "bid"): "bid_price",
    (events.Quote, "ask"): "ask_price",
    (events.Bar, "interval_seconds"): "interval",
    (events.OwnOrder, "reason_number"): "reason",
}
# Numbers of fewer than 64 bits, which JSON can hold.
SMALL = {
    "instrument",
    "interval_seconds",
    "reason_number",
    "code",
    "price_decimals",
    "quantity_decimals",
    "dropped",
    "open_orders",
    "channel",
}


def plain(name, value):
    """A value as the golden files write it."""
    match value:
        case Enum():
            return value.name.lower().replace("_", "-")
        case bytes():
            return value.hex()
        case list():
            return [[str(level.price), str(level.quantity)] for level in value]
        case int() if name not in SMALL:
            return str(value)
    return value


def record_of(kind, time, event):
    if event is None:
        return {"kind": kind, "time": str(time), "skipped": True}
    of = type(event)
    values = {FIELDS.get((of, name), name): plain(name, value) for name, value in event._asdict().items()}
    return {"kind": KINDS.get(of, of.__name__.lower()), "instrument": None, **values}


def read(data):
    frame = Frame(data)
    return [(kind, time, decode(data, kind, on, time, at, end)) for kind, on, time, at, end in frame.records()]


class Golden(unittest.TestCase):
    maxDiff = None

    def bytes_of(self, name):
        return (GOLDEN / f"{name}.frame").read_bytes()

    def test_every_golden_frame_reads_as_its_json_says(self):
        self.assertGreaterEqual(len(NAMES), 25, "the folder lost its files")
        for name in NAMES:
            with self.subTest(name):
                data = self.bytes_of(name)
                found = {
                    "lookahead": str(Frame(data).lookahead),
                    "records": [record_of(*record) for record in read(data)],
                }
                self.assertEqual(found, json.loads((GOLDEN / f"{name}.json").read_text()))

    def test_what_is_read_can_be_written_again_to_the_byte(self):
        for name in set(NAMES) - {"unknown-kind", "longer-record"}:
            with self.subTest(name):
                data = self.bytes_of(name)
                builder = FrameBuilder(Frame(data).lookahead)
                for _, _, event in read(data):
                    builder.event(event)
                self.assertEqual(builder.finish(), data)

    def test_a_damaged_frame_is_refused(self):
        whole = self.bytes_of("mixed")
        for length in range(len(whole)):
            with self.assertRaises(FrameError, msg=f"{length} bytes"):
                read(whole[:length])
        for name, offset, value in [
            ("trade", 0, 0),
            ("trade", 4, 2),
            ("trade", 16, 2),
            ("trade", 24 + 2, 40),
            ("trade", 24 + 2, 47),
            ("trade", 24 + 40, 3),
            ("own-order", 24 + 65, 11),
            ("budget", 24 + 48, 6),
            ("refusal", 24 + 34, 0),
            ("book", 24 + 32, 51),
            ("signal", 24 + 18, 9),
        ]:
            with self.subTest(name, offset=offset), self.assertRaises(FrameError):
                data = bytearray(self.bytes_of(name))
                data[offset] = value
                read(bytes(data))
        back = FrameBuilder(0).event(events.TimerFired(2, 1)).event(events.TimerFired(1, 1)).finish()
        with self.assertRaisesRegex(FrameError, "go back"):
            read(back)
