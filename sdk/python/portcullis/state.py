"""Bytes of a snapshot, written and read field by field, little-endian."""

from collections.abc import Callable
from struct import Struct
from typing import TypeVar

from .errors import RestoreError

T = TypeVar("T")

_U8, _U32, _U64, _I64, _F64 = (Struct(shape) for shape in ("<B", "<I", "<Q", "<q", "<d"))


class StateWriter:
    """Writes the bytes of a snapshot: ``StateWriter().i64(-3).optional(7, StateWriter.u64).finish()``."""

    def __init__(self):
        self._bytes = bytearray()

    def u8(self, value: int) -> "StateWriter":
        return self.raw(_U8.pack(value))

    def u32(self, value: int) -> "StateWriter":
        return self.raw(_U32.pack(value))

    def u64(self, value: int) -> "StateWriter":
        return self.raw(_U64.pack(value))

    def i64(self, value: int) -> "StateWriter":
        return self.raw(_I64.pack(value))

    def f64(self, value: float) -> "StateWriter":
        return self.raw(_F64.pack(value))

    def boolean(self, value: bool) -> "StateWriter":
        return self.u8(1 if value else 0)

    def raw(self, data: bytes) -> "StateWriter":
        """Writes bytes as they are, without their length."""
        self._bytes += data
        return self

    def optional(self, value: T | None, write: Callable[["StateWriter", T], object]) -> "StateWriter":
        """Writes whether there is a value, and the value with ``write``."""
        self.boolean(value is not None)
        if value is not None:
            write(self, value)
        return self

    def finish(self) -> bytes:
        """The bytes."""
        return bytes(self._bytes)


class StateReader:
    """Reads what a :class:`StateWriter` wrote, in the same order. Damaged bytes raise a RestoreError."""

    def __init__(self, data: bytes):
        self._bytes = data
        self._at = 0

    def u8(self) -> int:
        return self._read(_U8)

    def u32(self) -> int:
        return self._read(_U32)

    def u64(self) -> int:
        return self._read(_U64)

    def i64(self) -> int:
        return self._read(_I64)

    def f64(self) -> float:
        return self._read(_F64)

    def boolean(self) -> bool:
        byte = self.u8()
        if byte > 1:
            raise RestoreError.malformed()
        return byte == 1

    def optional(self, read: Callable[["StateReader"], T]) -> T | None:
        """Reads whether there is a value, and the value with ``read``."""
        return read(self) if self.boolean() else None

    def rest(self) -> bytes:
        """What is left to read."""
        return bytes(self._bytes[self._at :])

    def finish(self) -> None:
        """Ends the reading; bytes that are left are an error."""
        if self._at != len(self._bytes):
            raise RestoreError.malformed()

    def _read(self, shape: Struct):
        if self._at + shape.size > len(self._bytes):
            raise RestoreError.malformed()
        (value,) = shape.unpack_from(self._bytes, self._at)
        self._at += shape.size
        return value
