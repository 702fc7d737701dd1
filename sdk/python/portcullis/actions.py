"""What a strategy can do. Strategies use the :class:`~portcullis.Context`; tests look at these types."""

from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """Side of an order or of a trade's taker."""

    BUY = 1
    SELL = 2


class TimeInForce(Enum):
    """How long an order rests."""

    GTC = 0
    IOC = 1
    FOK = 2
    POST_ONLY = 3


class TriggerDirection(Enum):
    """The way a price comes to a trigger."""

    RISE = 0
    FALL = 1


class LogLevel(Enum):
    """Severity of a log line."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


@dataclass(slots=True)
class Market:
    """At the market, bounded by the host's collar."""


@dataclass(slots=True)
class Limit:
    """At this price or better."""

    price: int


@dataclass(slots=True)
class Trigger:
    """A condition on the last price."""

    price: int
    direction: TriggerDirection


@dataclass(slots=True)
class Place:
    """Asks for a new order."""

    instrument: int
    side: Side
    quantity: int
    kind: Market | Limit
    time_in_force: TimeInForce
    reduce_only: bool = False
    trigger: Trigger | None = None
    take_profit: int | None = None
    stop_loss: int | None = None
    good_till: int | None = None
    tag: int = 0


@dataclass(slots=True)
class Amend:
    """Asks to change a working order; None keeps what is."""

    order: int
    price: int | None
    quantity: int | None


@dataclass(slots=True)
class Cancel:
    """Asks to cancel one order."""

    order: int


@dataclass(slots=True)
class CancelAll:
    """Asks to cancel all own orders, of one instrument or of all."""

    instrument: int | None


@dataclass(slots=True)
class Flatten:
    """Asks to close the position of an instrument."""

    instrument: int


@dataclass(slots=True)
class SetTimer:
    """Sets, moves or, without a time, removes a timer."""

    id: int
    at: int | None


@dataclass(slots=True)
class Log:
    """Writes a line to the strategy's log."""

    level: LogLevel
    message: str


@dataclass(slots=True)
class Metric:
    """Sets a gauge."""

    name: str
    value: float


Action = Place | Amend | Cancel | CancelAll | Flatten | SetTimer | Log | Metric
