/** Durations in nanoseconds, the unit of every time. */

export const MILLISECOND = 1_000_000n;
export const SECOND = 1_000_000_000n;
