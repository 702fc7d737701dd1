"""What can be traded, and the one place where numbers are rounded."""

import math
from dataclasses import dataclass

from .decimals import AMOUNT_DECIMALS, format_decimal, parse_decimal
from .ranges import i64


@dataclass(slots=True)
class Instrument:
    """The trading rules of one instrument.

    Every rounding names its direction. The host refuses a price off the tick or a quantity off the step; it never rounds for
    you. Prices and quantities are whole numbers in the instrument's decimals; with two price decimals 6012345 is 60123.45.
    """

    id: int
    """Its index; events and orders carry it."""
    symbol: str
    """``category:SYMBOL``, for example ``linear:BTCUSDT``."""
    price_decimals: int
    quantity_decimals: int
    tick: int
    """Smallest price step."""
    step: int
    """Smallest quantity step."""
    min_quantity: int
    max_quantity: int
    max_market_quantity: int
    min_notional: int
    """Smallest price × quantity of an order, in units of 1e-18 of the quote coin."""
    taker_fee: int
    """In units of 1e-12."""
    maker_fee: int
    """In units of 1e-12."""
    trading: bool = True
    """Whether the venue trades it now."""

    def round_down_to_tick(self, price: int) -> int:
        """The highest price on the tick at or below ``price``."""
        return _floor(price, self.tick)

    def round_up_to_tick(self, price: int) -> int:
        """The lowest price on the tick at or above ``price``."""
        return -_floor(-price, self.tick)

    def round_down_to_step(self, quantity: int) -> int:
        """The largest quantity on the step at or below ``quantity``. May be zero, which the host refuses."""
        return _floor(quantity, self.step)

    def round_up_to_step(self, quantity: int) -> int:
        """The smallest quantity on the step at or above ``quantity``."""
        return -_floor(-quantity, self.step)

    def price_to_float(self, price: int) -> float:
        """The price as a float, for indicators."""
        return price / 10**self.price_decimals

    def quantity_to_float(self, quantity: int) -> float:
        """The quantity as a float, for indicators."""
        return quantity / 10**self.quantity_decimals

    def price_from_float_rounded_down(self, price: float) -> int | None:
        """The highest price on the tick at or below the float, or None if it is not finite or does not fit.

        Floats carry rounding errors of their own: 0.29 may come out one tick lower when computed as 0.3 − 0.01.
        """
        whole = _fitting(price * 10.0**self.price_decimals, math.floor)
        return None if whole is None else self.round_down_to_tick(whole)

    def price_from_float_rounded_up(self, price: float) -> int | None:
        """The lowest price on the tick at or above the float, or None if it is not finite or does not fit."""
        whole = _fitting(price * 10.0**self.price_decimals, math.ceil)
        return None if whole is None else self.round_up_to_tick(whole)

    def quantity_from_float_rounded_down(self, quantity: float) -> int | None:
        """The largest quantity on the step at or below the float, or None if it is not finite or does not fit."""
        whole = _fitting(quantity * 10.0**self.quantity_decimals, math.floor)
        return None if whole is None else self.round_down_to_step(whole)

    def parse_price(self, text: str) -> int:
        """Reads a price such as ``60123.45``, exactly; else raises :class:`~portcullis.NumberError`."""
        return i64(parse_decimal(text, self.price_decimals), "price")

    def parse_quantity(self, text: str) -> int:
        """Reads a quantity such as ``0.01``, exactly; else raises :class:`~portcullis.NumberError`."""
        return i64(parse_decimal(text, self.quantity_decimals), "quantity")

    def format_price(self, price: int) -> str:
        """Prints a price exactly."""
        return format_decimal(price, self.price_decimals)

    def format_quantity(self, quantity: int) -> str:
        """Prints a quantity exactly."""
        return format_decimal(quantity, self.quantity_decimals)

    def notional(self, price: int, quantity: int) -> int | None:
        """Price × quantity in units of 1e-18 of the quote coin, exact; None if the decimals add up to more than 18."""
        spare = AMOUNT_DECIMALS - self.price_decimals - self.quantity_decimals
        return None if spare < 0 else price * quantity * 10**spare


def _floor(value: int, unit: int) -> int:
    return value - value % unit if unit > 0 else value


def _fitting(value: float, whole) -> int | None:
    if not math.isfinite(value):
        return None
    rounded = whole(value)
    return rounded if -(1 << 63) <= rounded < 1 << 63 else None
