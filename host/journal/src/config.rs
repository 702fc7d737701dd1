//! What a journal is opened with.

use portcullis_core::{Digest, Environment, Sequence, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::entry::ENTRY_FIXED;
use crate::segment::{HEADER_BYTES, frame_room};
use crate::storage::SEGMENT_BYTES_MAX;
use crate::{Epoch, JournalError};

/// Smallest segment, in bytes: room for a header and a few entries. Tests use it; production has 16 MiB.
pub(crate) const SEGMENT_BYTES_MIN: u64 = 4096;

/// Segment size used in production: 16 MiB, some 40,000 entries.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// What a journal is opened with. Nothing in it is read from the system, so that a lab run gives the same root every time.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Where orders go; checked against the segments.
    pub environment: Environment,
    /// The machine's boot id, for telling clocks apart; zero in the lab.
    pub boot: [u8; 16],
    /// Where salts come from.
    pub salts: Salts,
    /// Where the monotonic time of entries comes from.
    pub monotonic: Monotonic,
    /// Length of new segment files, in bytes: a multiple of 8 from 4 KiB to 256 MiB.
    pub segment_bytes: u64,
    /// Begins a new life of the journal, with an epoch above both this one and the journal's own. Set after a restore, with the
    /// highest epoch seen among our ids at the venue (RULES J5); an ordinary start leaves the epoch as it is.
    pub raise_epoch_above: Option<Epoch>,
}

impl LogConfig {
    /// For production: random salts, the machine's clock, 16 MiB segments.
    pub fn live(environment: Environment, boot: [u8; 16]) -> Self {
        Self {
            environment,
            boot,
            salts: Salts::Random,
            monotonic: Monotonic::Machine,
            segment_bytes: SEGMENT_BYTES,
            raise_epoch_above: None,
        }
    }

    /// For backtests and simulations: every byte follows from the entries and `seed`.
    pub fn lab(environment: Environment, seed: [u8; 32]) -> Self {
        Self {
            environment,
            boot: [0; 16],
            salts: Salts::Derived(seed),
            monotonic: Monotonic::EntryTime,
            segment_bytes: SEGMENT_BYTES,
            raise_epoch_above: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), JournalError> {
        let found = self.segment_bytes;
        if (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&found) && found.is_multiple_of(8) {
            return Ok(());
        }
        Err(JournalError::SegmentSize { found, min: SEGMENT_BYTES_MIN, max: SEGMENT_BYTES_MAX })
    }

    /// Largest body that fits an empty segment of this size.
    pub(crate) fn body_bytes_max(&self) -> usize {
        let overhead = HEADER_BYTES.saturating_add(frame_room(ENTRY_FIXED)).saturating_add(8);
        usize::try_from(self.segment_bytes).unwrap_or(0).saturating_sub(overhead).min(crate::BODY_BYTES_MAX)
    }
}

/// Where the salts of entries come from.
#[derive(Clone, Copy)]
pub enum Salts {
    /// From 32 random bytes that the system gives when the journal is opened.
    Random,
    /// From a seed: the same in every run.
    Derived([u8; 32]),
}

impl core::fmt::Debug for Salts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Whoever knows the seed can guess bodies from leaves.
        f.write_str(match self {
            Self::Random => "Random",
            Self::Derived(_) => "Derived(..)",
        })
    }
}

impl Salts {
    pub(crate) fn source(self) -> Result<SaltSource, JournalError> {
        let mut seed = [0; 32];
        match self {
            Self::Derived(given) => seed = given,
            Self::Random => {
                getrandom::fill(&mut seed).map_err(|error| JournalError::Random(error.to_string()))?
            }
        }
        Ok(SaltSource { seed: Digest(seed) })
    }
}

/// Salts as a function of a secret seed and the sequence: as good as fresh random bytes, without a system call each.
pub(crate) struct SaltSource {
    seed: Digest,
}

impl SaltSource {
    pub(crate) fn salt(&self, sequence: Sequence) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(b"salt");
        hash.update(self.seed.0);
        hash.update(sequence.0.to_le_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        digest.first_chunk().copied().unwrap_or_default()
    }
}

impl core::fmt::Debug for SaltSource {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SaltSource(..)")
    }
}

/// Where the monotonic time of entries comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monotonic {
    /// `CLOCK_BOOTTIME`: time since boot, sleep included.
    Machine,
    /// The entry's own time, as the caller gave it: in the lab there is no other.
    EntryTime,
}

impl Monotonic {
    pub(crate) fn read(self, now: Timestamp) -> u64 {
        match self {
            Self::EntryTime => now.0,
            Self::Machine => {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
                seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
            }
        }
    }
}

/// The machine's boot id, for [`LogConfig::boot`].
///
/// # Errors
///
/// [`JournalError::Storage`] when the kernel does not say.
pub fn boot_id() -> Result<[u8; 16], JournalError> {
    let failed = JournalError::storage("read the boot id");
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(&failed)?;
    let digits = text.trim().replace('-', "");
    let mut id = [0; 16];
    hex::decode_to_slice(&digits, &mut id).map_err(|error| failed(std::io::Error::other(error)))?;
    Ok(id)
}
