"""Decimal text to whole numbers and back, without floats."""

import re

AMOUNT_DECIMALS = 18
"""Decimals of an amount of money: its unit is 1e-18 of the quote coin."""

RATE_DECIMALS = 12
"""Decimals of a fee or funding rate: 0.055 % is 550,000,000."""

_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


class NumberError(ValueError):
    """Why a decimal text was not taken."""


def parse_decimal(text: str, decimals: int) -> int:
    """Reads text such as ``-12.5`` as a whole number of units of 10^-``decimals``, exactly; else raises :class:`NumberError`."""
    parts = _DECIMAL.fullmatch(text)
    if parts is None:
        raise NumberError("not a decimal number")
    sign, whole, fraction = parts.group(1), parts.group(2), parts.group(3) or ""
    if fraction[decimals:].strip("0"):
        raise NumberError("more decimals than the instrument has")
    value = int(whole + fraction[:decimals].ljust(decimals, "0"))
    return -value if sign else value


def format_decimal(value: int, decimals: int) -> str:
    """Prints ``value`` units of 10^-``decimals``, without trailing zeros."""
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole
