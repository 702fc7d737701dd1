"""The ranges of the contract's numbers. A value outside ends the instance here, where the cause is in sight."""


def i64(value: int, what: str) -> int:
    """A signed 64-bit integer, such as a price."""
    if type(value) is not int:
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError(f"{what} {value} does not fit in 64 bits")
    return value


def u64(value: int, what: str) -> int:
    """An unsigned 64-bit integer, such as a time or a tag."""
    if type(value) is not int:
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")
    if not 0 <= value < 1 << 64:
        raise OverflowError(f"{what} {value} does not fit in 64 bits")
    return value


def u32(value: int, what: str) -> int:
    """An unsigned 32-bit integer, such as an instrument's id."""
    if u64(value, what) >= 1 << 32:
        raise OverflowError(f"{what} {value} does not fit in 32 bits")
    return value
