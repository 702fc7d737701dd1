"""Numbers are exact, and every rounding goes the way it says."""

import math
import unittest

from portcullis import NumberError, format_decimal, parse_decimal
from portcullis.testing import instrument


class Numbers(unittest.TestCase):
    def test_decimals_are_read_exactly_or_not_at_all(self):
        for text, decimals, value in [
            ("60123.45", 2, 6_012_345),
            ("-0.5", 3, -500),
            ("7", 0, 7),
            ("1.500", 1, 15),
            ("0.1", 18, 10**17),
        ]:
            self.assertEqual(parse_decimal(text, decimals), value)
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1.2.3", " 1", "1,0", "0x1", "1.0a", "1.05", "١"]:
            with self.assertRaises(NumberError, msg=text):
                parse_decimal(text, 1)

    def test_decimals_are_printed_without_trailing_zeros(self):
        for value, decimals, text in [(6_012_345, 2, "60123.45"), (-500, 3, "-0.5"), (0, 8, "0"), (100, 2, "1")]:
            self.assertEqual(format_decimal(value, decimals), text)

    def test_rounding_goes_the_way_it_says_on_both_sides_of_zero(self):
        it = instrument("linear:BTCUSDT", tick=5, step=3)
        self.assertEqual([it.round_down_to_tick(price) for price in (14, -1, 10)], [10, -5, 10])
        self.assertEqual([it.round_up_to_tick(price) for price in (11, -1, 10)], [15, 0, 10])
        self.assertEqual((it.round_down_to_step(8), it.round_up_to_step(7)), (6, 9))
        self.assertEqual(instrument("x", step=0).round_down_to_step(7), 7)

    def test_floats_convert_with_a_direction_or_not_at_all(self):
        it = instrument("linear:BTCUSDT")
        self.assertEqual(it.price_to_float(600_001), 60_000.1)
        self.assertEqual(it.price_from_float_rounded_down(60_000.19), 600_001)
        self.assertEqual(it.price_from_float_rounded_up(60_000.11), 600_002)
        self.assertEqual(it.quantity_from_float_rounded_down(0.0109), 10)
        for bad in (math.nan, math.inf, -math.inf, 1e300, -1e300):
            self.assertIsNone(it.price_from_float_rounded_down(bad))
            self.assertIsNone(it.price_from_float_rounded_up(bad))
            self.assertIsNone(it.quantity_from_float_rounded_down(bad))

    def test_what_does_not_fit_is_refused(self):
        it = instrument("linear:BTCUSDT")
        with self.assertRaises(OverflowError):
            it.parse_price("9" * 30)
        self.assertEqual(it.notional(600_001, 10), 600_001 * 10**16 // 10)
        self.assertIsNone(instrument("x", price_decimals=10, quantity_decimals=9).notional(1, 1))
