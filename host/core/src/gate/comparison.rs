//! What came of the last comparison of the books with the venue.

use crate::Timestamp;

/// How the books compared with the venue when it last told of everything: open orders, executions, positions and wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// When the venue's answer was taken in.
    pub at: Timestamp,
    /// Positions in which the two differed. One that differs twice in the same way is adjusted and trips (`unexplained-position`).
    pub differences: usize,
    /// Orders of which it is still not known what became of them.
    pub unsettled: usize,
}
