"""The bytes around a strategy's snapshot: what the SDK itself must remember.

Layout, little-endian: u8 version 1, u8 number of timers, u64 orders placed, timers {u64 id, u64 time}, the strategy's bytes.
"""

from .errors import RestoreError
from .state import StateReader, StateWriter
from .stop import TIMERS_MAX

_VERSION = 1


def encode(placed: int, timers: dict[int, int], state: bytes) -> bytes:
    writer = StateWriter().u8(_VERSION).u8(len(timers)).u64(placed)
    for id, at in sorted(timers.items()):
        writer.u64(id).u64(at)
    return writer.raw(state).finish()


def decode(data: bytes) -> tuple[int, dict[int, int], bytes]:
    reader = StateReader(data)
    if reader.u8() != _VERSION:
        raise RestoreError.unsupported_version()
    count = reader.u8()
    if count > TIMERS_MAX:
        raise RestoreError.malformed()
    placed = reader.u64()
    timers = {}
    for _ in range(count):
        id = reader.u64()
        timers[id] = reader.u64()
    return placed, timers, reader.rest()
