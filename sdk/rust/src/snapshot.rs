//! The bytes around a strategy's snapshot: what the SDK itself must remember.
//!
//! Layout, little-endian: u8 version 1, u8 number of timers, u64 orders placed, timers {u64 id, u64 time}, the strategy's bytes.

use crate::stop::TIMERS_MAX;
use crate::{RestoreError, StateReader, StateWriter, Time};

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
    // Never more than 64 timers, so the length fits.
    let timers = u8::try_from(bookkeeping.timers.len()).unwrap_or(u8::MAX);
    let mut writer = StateWriter::new().u8(VERSION).u8(timers).u64(bookkeeping.placed);
    for &(id, time) in &bookkeeping.timers {
        writer = writer.u64(id).time(time);
    }
    let mut bytes = writer.finish();
    bytes.extend_from_slice(state);
    bytes
}

pub(crate) fn decode(bytes: &[u8]) -> Result<(Bookkeeping, &[u8]), RestoreError> {
    let mut reader = StateReader::new(bytes);
    if reader.u8()? != VERSION {
        return Err(RestoreError::UnsupportedVersion);
    }
    let timer_count = reader.u8()?;
    if usize::from(timer_count) > TIMERS_MAX {
        return Err(RestoreError::Malformed);
    }
    let placed = reader.u64()?;
    let timers = (0..timer_count).map(|_| Ok((reader.u64()?, reader.time()?))).collect::<Result<_, _>>()?;
    Ok((Bookkeeping { placed, timers }, reader.rest()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_snapshots_are_refused() {
        let bookkeeping =
            Bookkeeping { placed: 7, timers: vec![(1, Time::from_nanos(5)), (2, Time::from_nanos(9))] };
        let bytes = encode(&bookkeeping, b"state");
        let own_part = bytes.strip_suffix(b"state").unwrap().len();
        assert_eq!(decode(&bytes), Ok((bookkeeping, b"state".as_slice())));
        for length in 0..own_part {
            assert_eq!(decode(&bytes[..length]), Err(RestoreError::Malformed), "{length} bytes");
        }
        assert_eq!(decode(&[2, 0]), Err(RestoreError::UnsupportedVersion));
        assert_eq!(decode(&[1, 65]), Err(RestoreError::Malformed));
    }
}
