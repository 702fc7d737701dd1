//! A small generator of pseudo-random numbers (splitmix64): the same seed gives the same market on every machine.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number in `from..=to`. The bias of the remainder is far below what a market model cares about.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = to.abs_diff(from).saturating_add(1);
        from.saturating_add_unsigned(self.next().checked_rem(span).unwrap_or(0))
    }

    /// Whether an event of so many in a million happens.
    pub(crate) fn happens(&mut self, per_million: u32) -> bool {
        self.next().checked_rem(1_000_000).is_some_and(|drawn| drawn < u64::from(per_million))
    }
}

/// Scrambles a number.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
