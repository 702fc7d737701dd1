"""Write trading strategies for Portcullis in Python.

A strategy is a class with a static ``describe`` and an ``__init__`` that takes the :class:`Setup`. Every event has a handler,
all of them optional: see :class:`Strategy`. Handlers act through the :class:`Context` they are given.

Prices, quantities, times, tags and sums of money are ``int``: exact. An instrument knows its decimals; it parses, prints and
rounds. Floats are for indicators and never reach an order unrounded.
"""

from .actions import (
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
from .context import Context, Placed
from .decimals import AMOUNT_DECIMALS, RATE_DECIMALS, NumberError, format_decimal, parse_decimal
from .description import Description, Parameter, Stream, Subscription
from .errors import InitError, RestoreError
from .events import (
    Bar,
    Book,
    Budget,
    Fill,
    Funding,
    Gap,
    GapCause,
    InstrumentStatus,
    InstrumentUpdate,
    Level,
    Liquidity,
    Mark,
    OrderReason,
    OrderStatus,
    OwnOrder,
    Position,
    Quote,
    Refusal,
    RefusedAction,
    Resync,
    Signal,
    TimerFired,
    Trade,
    TradingState,
    WarmUpEnd,
)
from .instrument import Instrument
from .refusal import refusal_name
from .setup import Setup
from .state import StateReader, StateWriter
from .strategy import Strategy

MILLISECOND = 1_000_000
"""Nanoseconds, the unit of every time."""

SECOND = 1_000_000_000
"""Nanoseconds, the unit of every time."""
