//! Which entry a client id of ours names: epoch and sequence, as digits behind its first character (RULES J4).

use core::fmt;

use crate::{LinkId, Sequence};

/// Crockford's alphabet in lower case: its order is the order of the numbers, and it has no look-alikes.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

const EPOCH_CHARS: usize = 3;
const SEQUENCE_CHARS: usize = 9;

/// Where the epoch and the sequence stand in an id.
const EPOCH: core::ops::Range<usize> = 1..1 + EPOCH_CHARS;
const SEQUENCE: core::ops::Range<usize> = EPOCH.end..EPOCH.end + SEQUENCE_CHARS;

/// Epoch and sequence of an entry, in the order in which entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkNumber {
    /// The life of the journal, at most 32,767 in an id.
    pub epoch: u16,
    /// The entry, at most [`SEQUENCE_MAX`](Self::SEQUENCE_MAX) in an id.
    pub sequence: Sequence,
}

impl LinkNumber {
    /// Characters that the number takes in an id.
    pub const CHARS: usize = EPOCH_CHARS + SEQUENCE_CHARS;

    /// The last sequence an id can carry: 2^45 - 1. At 100,000 entries a second that is eleven years.
    pub const SEQUENCE_MAX: u64 = (1 << 45) - 1;

    /// Reads the digits where an id of ours has them; `None` where there are others. Whether the id is ours the rest of it decides.
    pub fn of(link: &LinkId) -> Option<Self> {
        let text = link.as_str();
        Some(Self {
            epoch: u16::try_from(value(text.get(EPOCH)?)?).ok()?,
            sequence: Sequence(value(text.get(SEQUENCE)?)?),
        })
    }
}

impl fmt::Display for LinkNumber {
    /// The digits, as they stand in an id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, u64::from(self.epoch), EPOCH_CHARS)?;
        write(f, self.sequence.0, SEQUENCE_CHARS)
    }
}

fn write(f: &mut fmt::Formatter<'_>, value: u64, digits: usize) -> fmt::Result {
    (0..digits).rev().try_for_each(|digit| {
        let shift = u32::try_from(digit.saturating_mul(5)).unwrap_or(u32::MAX);
        let five = value.checked_shr(shift).unwrap_or(0) & 31;
        let letter = usize::try_from(five).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or(b'-');
        fmt::Write::write_char(f, char::from(letter))
    })
}

fn value(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |value, letter| {
        let digit = DIGITS.iter().position(|&known| known == letter)?;
        value.checked_mul(32)?.checked_add(u64::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_from_an_id() {
        let last = LinkNumber { epoch: 32_767, sequence: Sequence(LinkNumber::SEQUENCE_MAX) };
        for number in [LinkNumber { epoch: 1, sequence: Sequence(7) }, last] {
            let link: LinkId = format!("p{number}-AAgQGCAoMDhASFBYYGhweI").parse().unwrap();
            assert_eq!(LinkNumber::of(&link), Some(number), "{link}");
        }
        for other in ["p", "by-hand", "p00100000000u-AAgQGCAoMDhASFBYYGhweI"] {
            assert_eq!(LinkNumber::of(&other.parse().unwrap()), None, "{other}");
        }
    }
}
