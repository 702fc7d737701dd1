"""What a strategy says about itself."""

from dataclasses import dataclass, field


@dataclass(slots=True, frozen=True)
class IntegerRange:
    """A whole number in the closed range."""

    min: int
    max: int


@dataclass(slots=True, frozen=True)
class DecimalRange:
    """A decimal number in the closed range; the bounds are text so that they are exact."""

    min: str
    max: str


@dataclass(slots=True, frozen=True)
class Boolean:
    """``true`` or ``false``."""


@dataclass(slots=True, frozen=True)
class Choice:
    """One of the words."""

    words: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Parameter:
    """One parameter, described well enough to draw a form and to check a value. Values travel as text.

    ``doc`` is one sentence for the operator, with the unit; ``default`` is taken when the operator names none.
    """

    name: str
    doc: str
    kind: IntegerRange | DecimalRange | Boolean | Choice
    default: str | None = None

    @classmethod
    def integer(cls, name: str, doc: str, min: int, max: int, default: int | None = None) -> "Parameter":
        """A whole number from ``min`` to ``max``, both included."""
        return cls(name, doc, IntegerRange(min, max), None if default is None else str(default))

    @classmethod
    def decimal(cls, name: str, doc: str, min: str, max: str, default: str | None = None) -> "Parameter":
        """A decimal number from ``min`` to ``max``, both included, written like ``0.01``."""
        return cls(name, doc, DecimalRange(min, max), default)

    @classmethod
    def boolean(cls, name: str, doc: str, default: bool | None = None) -> "Parameter":
        """``true`` or ``false``."""
        return cls(name, doc, Boolean(), None if default is None else str(default).lower())

    @classmethod
    def choice(cls, name: str, doc: str, words: list[str], default: str | None = None) -> "Parameter":
        """One of the words."""
        return cls(name, doc, Choice(tuple(words)), default)


@dataclass(slots=True, frozen=True)
class Stream:
    """A stream that a strategy can read. Own orders, fills, refusals, positions and the budget come without asking."""

    kind: str
    levels: int = 0
    interval_seconds: int = 0
    warm_up: int = 0

    @classmethod
    def trades(cls) -> "Stream":
        """Public trades."""
        return cls("trades")

    @classmethod
    def quotes(cls) -> "Stream":
        """Best bid and ask."""
        return cls("quotes")

    @classmethod
    def book(cls, levels: int) -> "Stream":
        """The best levels of the book on both sides, 1 to 50."""
        return cls("book", levels=levels)

    @classmethod
    def bars(cls, interval_seconds: int, warm_up: int = 0) -> "Stream":
        """Closed bars, ``warm_up`` of them before ``on_warm_up_end``."""
        return cls("bars", interval_seconds=interval_seconds, warm_up=warm_up)

    @classmethod
    def funding(cls) -> "Stream":
        """Funding rates."""
        return cls("funding")

    @classmethod
    def mark(cls) -> "Stream":
        """Mark and index prices."""
        return cls("mark")


@dataclass(slots=True, frozen=True)
class Subscription:
    """One stream of one symbol, ``category:SYMBOL``; None means every symbol that the signed manifest names."""

    stream: Stream
    symbol: str | None = None


@dataclass(slots=True, frozen=True)
class Description:
    """What a strategy is and what it wants. Name and version equal the bundle's."""

    name: str
    version: str
    parameters: list[Parameter] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    """Names that ``ctx.metric`` may use; at most 32, each at most 48 bytes of ``[a-z0-9_]``."""
    snapshot_version: int = 0
    """Version of the bytes that ``snapshot`` returns."""
