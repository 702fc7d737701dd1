//! Levels of a book, packed as in a frame.

use crate::{Level, Levels};

/// Owns the bytes that [`Levels`] reads, for [`Book`](crate::Book) events made by a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedLevels {
    bytes: Vec<u8>,
}

impl PackedLevels {
    /// Packs levels, best first.
    #[must_use]
    pub fn new(levels: &[Level]) -> Self {
        let pack = |level: &Level| {
            level.price.mantissa().to_le_bytes().into_iter().chain(level.quantity.mantissa().to_le_bytes())
        };
        Self { bytes: levels.iter().flat_map(pack).collect() }
    }

    /// The levels, to put into an event.
    #[must_use]
    pub fn levels(&self) -> Levels<'_> {
        Levels::from_bytes(&self.bytes)
    }
}
