//! The levels of a book, read in place.

use crate::{Price, Qty};

/// One price of a book and the quantity that rests there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// The quantity; positive.
    pub quantity: Qty,
}

/// One side of a book, best price first. It reads the frame in place and copies nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Levels<'a> {
    levels: &'a [[u8; LEVEL_BYTES]],
}

/// Bytes of a level in a frame.
const LEVEL_BYTES: usize = 16;

impl<'a> Levels<'a> {
    /// Takes the packed levels; bytes beyond the last whole level are left out.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Self {
        Self { levels: bytes.as_chunks().0 }
    }

    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.levels.as_flattened()
    }

    /// Number of levels, 0 to 50.
    #[must_use]
    pub const fn len(self) -> usize {
        self.levels.len()
    }

    /// Whether the side is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.levels.is_empty()
    }

    /// The best level.
    #[must_use]
    pub fn best(self) -> Option<Level> {
        self.get(0)
    }

    /// The level at `depth`, 0 being the best.
    #[must_use]
    pub fn get(self, depth: usize) -> Option<Level> {
        self.levels.get(depth).map(level)
    }

    /// The levels, best first.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Level> + DoubleEndedIterator + 'a {
        self.levels.iter().map(level)
    }
}

impl core::fmt::Debug for Levels<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn level(bytes: &[u8; LEVEL_BYTES]) -> Level {
    let [p0, p1, p2, p3, p4, p5, p6, p7, q0, q1, q2, q3, q4, q5, q6, q7] = *bytes;
    Level {
        price: Price::from_mantissa(i64::from_le_bytes([p0, p1, p2, p3, p4, p5, p6, p7])),
        quantity: Qty::from_mantissa(i64::from_le_bytes([q0, q1, q2, q3, q4, q5, q6, q7])),
    }
}
