//! How large frames are. The result of a backtest does not depend on it; its speed does.

use portcullis_core::Timestamp;

/// Smallest frame that a growing size starts from (RULES T4).
const START: usize = 16;

/// Largest frame.
pub(crate) const MOST: usize = crate::tape::WINDOW;

/// How many market events a strategy is shown at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// From 16 events, doubled when all were consumed, halved when the strategy stopped itself (RULES T4).
    Adaptive,
    /// Events of one timestamp: a strategy cannot see the future (RULES T8).
    Strict,
    /// One event, for tests.
    Single,
    /// Cut at random, from this seed: what a strategy does must not depend on it (RULES T8).
    Random(u64),
}

/// The size of the next frame of one strategy.
#[derive(Debug, Clone)]
pub(crate) struct Size {
    frames: Frames,
    size: usize,
    random: u64,
}

impl Size {
    pub(crate) fn new(frames: Frames, salt: u64) -> Self {
        let random = match frames {
            Frames::Random(seed) => seed ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15),
            Frames::Adaptive | Frames::Strict | Frames::Single => 0,
        };
        Self { frames, size: START, random }
    }

    /// Most market events of the next frame.
    pub(crate) fn most(&mut self) -> usize {
        match self.frames {
            Frames::Adaptive => self.size,
            Frames::Strict => MOST,
            Frames::Single => 1,
            Frames::Random(_) => {
                let drawn = self.draw();
                // Any length is as likely to be short as to be long: 1 to 4,096 evenly on a scale of powers.
                let mask = 4_095_u64 >> (drawn % 13);
                usize::try_from(self.draw() & mask).unwrap_or(0).saturating_add(1)
            }
        }
    }

    /// The moment before which a frame that begins at `first` has to end, if that is bounded.
    pub(crate) fn until(&self, first: Timestamp) -> Option<Timestamp> {
        (self.frames == Frames::Strict).then(|| Timestamp(first.0.saturating_add(1)))
    }

    /// Notes how much of a frame was consumed.
    pub(crate) fn consumed(&mut self, all: bool, full: bool) {
        if !all {
            self.size = (self.size / 2).max(1);
        } else if full {
            self.size = self.size.saturating_mul(2).min(MOST);
        }
    }

    /// splitmix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = self.random;
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
