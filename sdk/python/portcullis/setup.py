"""What a strategy is told once, before its first event."""

import math
import re
from collections.abc import Iterable

from .decimals import NumberError
from .errors import InitError
from .instrument import Instrument


class Setup:
    """What a strategy is told once. The host has checked the parameters against the description, one by one."""

    def __init__(
        self,
        parameters: Iterable[tuple[str, str]],
        instruments: list[Instrument],
        budget: int,
        start_time: int,
    ):
        self._parameters = dict(parameters)
        self.instruments = instruments
        """The instruments; an instrument's id is its index."""
        self.budget = budget
        """The capital this deployment may use, in units of 1e-18 of the quote coin."""
        self.start_time = start_time
        """Time of the start, event time in nanoseconds."""

    def text(self, name: str) -> str:
        """The text of a parameter."""
        if name not in self._parameters:
            raise _bad(name, "missing")
        return self._parameters[name]

    def integer(self, name: str) -> int:
        """A whole number."""
        text = self.text(name)
        if re.fullmatch("-?[0-9]{1,19}", text) is None:
            raise _bad(name, "not a whole number")
        return int(text)

    def number(self, name: str) -> float:
        """A decimal as a float, for indicators. It rounds: take prices and quantities with ``price`` and ``quantity``."""
        try:
            value = float(self.text(name))
        except ValueError:
            raise _bad(name, "not a number") from None
        if not math.isfinite(value):
            raise _bad(name, "not a number")
        return value

    def boolean(self, name: str) -> bool:
        """``true`` or ``false``."""
        text = self.text(name)
        if text not in ("true", "false"):
            raise _bad(name, "neither true nor false")
        return text == "true"

    def price(self, name: str, instrument: Instrument) -> int:
        """A price of ``instrument``, exact."""
        return _exact(name, instrument.parse_price, self.text(name))

    def quantity(self, name: str, instrument: Instrument) -> int:
        """A quantity of ``instrument``, exact."""
        return _exact(name, instrument.parse_quantity, self.text(name))


def _exact(name: str, parse, text: str) -> int:
    try:
        return parse(text)
    except (NumberError, OverflowError) as error:
        raise _bad(name, str(error)) from None


def _bad(name: str, problem: str) -> InitError:
    return InitError.bad_parameter(f"{name}: {problem}")
