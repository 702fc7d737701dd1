//! What happens to the part that does not fit.

/// How a result is brought to the scale that holds it. Each way treats a value and its negative alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero: for what is charged or counted against a limit.
    Up,
    /// Toward zero.
    Down,
    /// To the nearest, a tie to the even neighbour: for the ledger, where errors must not add up.
    HalfEven,
}

impl Rounding {
    /// Rounds `quotient`, given the remainder of a division of magnitudes; `None` on overflow.
    pub(super) fn finish(self, quotient: u128, remainder: u64, divisor: u64) -> Option<u128> {
        // The distance to the next multiple; comparing with it avoids doubling the remainder, which could overflow.
        let missing = divisor.saturating_sub(remainder);
        let away = match self {
            Self::Up => remainder > 0,
            Self::Down => false,
            Self::HalfEven => remainder > missing || (remainder == missing && quotient % 2 == 1),
        };
        quotient.checked_add(u128::from(away))
    }
}
