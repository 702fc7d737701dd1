"""The errors that a strategy answers with; any other exception ends the instance."""

from enum import Enum


class InitErrorKind(Enum):
    BAD_PARAMETER = "bad-parameter"
    UNSUITABLE_INSTRUMENT = "unsuitable-instrument"
    OTHER = "other"


class InitError(Exception):
    """Why a strategy cannot start; raised by its constructor. The host cuts the text at 256 bytes and shows it to the operator."""

    def __init__(self, kind: InitErrorKind, text: str):
        super().__init__(text)
        self.kind = kind
        self.text = text

    @classmethod
    def bad_parameter(cls, text: str) -> "InitError":
        """A parameter's value makes no sense in combination; the text names it."""
        return cls(InitErrorKind.BAD_PARAMETER, text)

    @classmethod
    def unsuitable_instrument(cls, text: str) -> "InitError":
        """An instrument cannot be traded by this strategy; the text says why."""
        return cls(InitErrorKind.UNSUITABLE_INSTRUMENT, text)

    @classmethod
    def other(cls, text: str) -> "InitError":
        """Anything else."""
        return cls(InitErrorKind.OTHER, text)


class RestoreErrorKind(Enum):
    UNSUPPORTED_VERSION = "unsupported-version"
    MALFORMED = "malformed"


class RestoreError(Exception):
    """Why a snapshot was not taken over. The host then starts the strategy without it."""

    def __init__(self, kind: RestoreErrorKind):
        super().__init__(kind.value)
        self.kind = kind

    @classmethod
    def unsupported_version(cls) -> "RestoreError":
        """This build cannot read snapshots of that version."""
        return cls(RestoreErrorKind.UNSUPPORTED_VERSION)

    @classmethod
    def malformed(cls) -> "RestoreError":
        """The bytes are damaged."""
        return cls(RestoreErrorKind.MALFORMED)


class FrameError(Exception):
    """What is wrong with a frame. The host never sends such a frame, so it is never caught: the call traps."""
