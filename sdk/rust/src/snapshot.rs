//! The bytes around a strategy's snapshot: what the SDK itself must remember.
//!
//! Layout, little-endian: u8 version 1, u8 number of timers, u64 orders placed, timers {u64 id, u64 time}, the strategy's bytes.

use crate::stop::TIMERS_MAX;
use crate::{RestoreError, Time};

const VERSION: u8 = 1;

/// What the SDK remembers across a restart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bookkeeping {
    /// Orders placed so far.
    pub(crate) placed: u64,
    /// Timers that are set: id and time.
    pub(crate) timers: Vec<(u64, Time)>,
}

pub(crate) fn encode(bookkeeping: &Bookkeeping, state: &[u8]) -> Vec<u8> {
    // Never more than 64, so the length fits.
    let timers = u8::try_from(bookkeeping.timers.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![VERSION, timers];
    bytes.extend(bookkeeping.placed.to_le_bytes());
    for (id, time) in &bookkeeping.timers {
        bytes.extend(id.to_le_bytes());
        bytes.extend(time.nanos().to_le_bytes());
    }
    bytes.extend_from_slice(state);
    bytes
}

pub(crate) fn decode(bytes: &[u8]) -> Result<(Bookkeeping, &[u8]), RestoreError> {
    let (&[version, timer_count], rest) = bytes.split_first_chunk().ok_or(RestoreError::Malformed)?;
    if version != VERSION {
        return Err(RestoreError::UnsupportedVersion);
    }
    if usize::from(timer_count) > TIMERS_MAX {
        return Err(RestoreError::Malformed);
    }
    let (placed, mut rest) = take_u64(rest)?;
    let mut timers = Vec::with_capacity(TIMERS_MAX);
    for _ in 0..timer_count {
        let (id, after_id) = take_u64(rest)?;
        let (time, after_time) = take_u64(after_id)?;
        timers.push((id, Time::from_nanos(time)));
        rest = after_time;
    }
    Ok((Bookkeeping { placed, timers }, rest))
}

fn take_u64(bytes: &[u8]) -> Result<(u64, &[u8]), RestoreError> {
    let (number, rest) = bytes.split_first_chunk().ok_or(RestoreError::Malformed)?;
    Ok((u64::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_snapshots_are_refused() {
        let bookkeeping =
            Bookkeeping { placed: 7, timers: vec![(1, Time::from_nanos(5)), (2, Time::from_nanos(9))] };
        let bytes = encode(&bookkeeping, b"state");
        assert_eq!(decode(&bytes), Ok((bookkeeping, b"state".as_slice())));
        for length in 0..bytes.len() - b"state".len() {
            assert_eq!(decode(&bytes[..length]), Err(RestoreError::Malformed), "{length} bytes");
        }
        assert_eq!(decode(&[2, 0]), Err(RestoreError::UnsupportedVersion));
        assert_eq!(decode(&[1, 65]), Err(RestoreError::Malformed));
    }
}
