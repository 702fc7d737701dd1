//! The evidence of one fault: everything that is needed to bring it about again, and nothing that is not the strategy's own.
//!
//! ```text
//! "PCFAULT" 0 │ version u16 │ SHA-256 of the body │ body (postcard)
//! ```
//!
//! Whoever reads such a file may have got it from anybody: every length is bounded before memory is taken for it, and what is shown to
//! a person holds no control characters.

use portcullis_core::frame::{BYTES_MAX, TIMERS_MAX, Timers};
use portcullis_core::{Amount, Digest, FaultCode, InstrumentSpec, Outcome, StrategyName, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::protocol::{
    BACKTRACE_FRAMES_MAX, BACKTRACE_LINE_BYTES_MAX, CellLimits, FAULT_DETAIL_BYTES_MAX, MemoryUse, Setup,
    Snapshot, bytes, line, lines, list, text, write_bytes,
};

const MAGIC: [u8; 8] = *b"PCFAULT\0";

/// Version of the body.
const VERSION: u16 = 1;

const HEAD_BYTES: usize = MAGIC.len() + 2 + 32;

/// Longest file in bytes.
pub const FAULT_FILE_BYTES_MAX: u64 = 24 << 20;

/// Bytes of past frames in a file; with more, the oldest are left out and the fault cannot be replayed.
const FRAMES_BYTES_MAX: usize = 20 << 20;

/// Most past frames.
const FRAMES_MAX: usize = 200_000;

const SOFTWARE_BYTES_MAX: usize = 64;
const PARAMETERS_MAX: usize = 64;
const KEY_BYTES_MAX: usize = 48;
const VALUE_BYTES_MAX: usize = 256;
const INSTRUMENTS_MAX: usize = 64;

/// One fault, with what led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultFile {
    /// The deployment's name.
    pub strategy: StrategyName,
    /// When it failed.
    pub at: Timestamp,
    /// Version of the host that wrote the file.
    #[serde(deserialize_with = "line::<_, SOFTWARE_BYTES_MAX>")]
    pub software: String,
    /// SHA-256 of the bundle's signed payload.
    pub bundle: Digest,
    /// SHA-256 of the component.
    pub component: Digest,
    /// The engine it ran on (RULES T9); on another one nothing is promised.
    pub engine: Digest,
    /// What it was allowed.
    pub limits: CellLimits,
    /// What it was told at its start.
    #[serde(deserialize_with = "setup")]
    pub setup: Setup,
    /// What went wrong, and with it whose fault it is.
    pub code: FaultCode,
    /// The first cause in words.
    #[serde(deserialize_with = "line::<_, FAULT_DETAIL_BYTES_MAX>")]
    pub detail: String,
    /// The functions it happened in, the innermost first.
    #[serde(deserialize_with = "lines::<_, BACKTRACE_FRAMES_MAX, BACKTRACE_LINE_BYTES_MAX>")]
    pub backtrace: Vec<String>,
    /// Fuel it was charged with.
    pub fuel_charged: u64,
    /// Memory it had, and asked for.
    pub memory: MemoryUse,
    /// The state it started from; without one it started from `init` alone.
    pub snapshot: Option<Snapshot>,
    /// The frames it took since then, oldest first.
    #[serde(deserialize_with = "list::<_, PastFrame, FRAMES_MAX>")]
    pub frames: Vec<PastFrame>,
    /// How many older ones there was no room for; the fault can be replayed only if there are none.
    pub frames_left_out: u64,
    /// The call that failed.
    pub call: FaultedCall,
}

/// A frame it was handed, and what it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastFrame {
    /// The frame.
    #[serde(serialize_with = "write_bytes", deserialize_with = "bytes::<_, BYTES_MAX>")]
    pub frame: Vec<u8>,
    /// [`outcome_digest`] of the answer.
    pub outcome: Digest,
}

/// The call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultedCall {
    /// A new instance was being made: its start, `init` or `restore`.
    Revival,
    /// A frame was being worked on.
    Frame {
        /// The frame.
        #[serde(serialize_with = "write_bytes", deserialize_with = "bytes::<_, BYTES_MAX>")]
        frame: Vec<u8>,
        /// The timers set before it, by which its answer is judged.
        #[serde(deserialize_with = "list::<_, (u64, Timestamp), TIMERS_MAX>")]
        timers: Vec<(u64, Timestamp)>,
    },
    /// A snapshot was being taken.
    Snapshot,
    /// None: it was stopped between two calls.
    None,
}

/// Why bytes are not the evidence of a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultFileError {
    /// Too large to have been written by a host.
    #[error("the file has {0} bytes, the evidence of a fault has at most {FAULT_FILE_BYTES_MAX}")]
    TooLarge(u64),
    /// Another kind of file.
    #[error("this is no fault file")]
    NotAFaultFile,
    /// Another version's.
    #[error(
        "the file has format {0}, this version reads {VERSION}; replay it with the version that wrote it"
    )]
    Version(u16),
    /// Cut short, or changed.
    #[error("the file is damaged: its digest does not match")]
    Damaged,
    /// The digest is right and the content is not: not written by a host.
    #[error("the file does not hold what a host writes: {0}")]
    Malformed(String),
}

impl FaultFile {
    /// The bytes of the file. Frames beyond the room for them are left out, the oldest first, and counted.
    ///
    /// # Errors
    ///
    /// [`FaultFileError::Malformed`] or [`FaultFileError::TooLarge`] when something is longer than a host ever makes it.
    pub fn encode(&mut self) -> Result<Vec<u8>, FaultFileError> {
        self.fit();
        let mut file = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &[0; 32]].concat();
        file = postcard::to_extend(self, file)
            .map_err(|error: postcard::Error| FaultFileError::Malformed(error.to_string()))?;
        let digest: [u8; 32] = Sha256::digest(file.get(HEAD_BYTES..).unwrap_or_default()).into();
        if let Some(place) = file.get_mut(MAGIC.len().saturating_add(2)..HEAD_BYTES) {
            place.copy_from_slice(&digest);
        }
        let size = u64::try_from(file.len()).unwrap_or(u64::MAX);
        if size > FAULT_FILE_BYTES_MAX { Err(FaultFileError::TooLarge(size)) } else { Ok(file) }
    }

    /// Reads a file. Depends on nothing but the bytes.
    ///
    /// # Errors
    ///
    /// [`FaultFileError`].
    pub fn decode(file: &[u8]) -> Result<Self, FaultFileError> {
        let size = u64::try_from(file.len()).unwrap_or(u64::MAX);
        if size > FAULT_FILE_BYTES_MAX {
            return Err(FaultFileError::TooLarge(size));
        }
        let rest = file.strip_prefix(&MAGIC).ok_or(FaultFileError::NotAFaultFile)?;
        let (version, rest) = rest.split_first_chunk().ok_or(FaultFileError::Damaged)?;
        let version = u16::from_le_bytes(*version);
        if version != VERSION {
            return Err(FaultFileError::Version(version));
        }
        let (digest, body) = rest.split_first_chunk::<32>().ok_or(FaultFileError::Damaged)?;
        if *digest != <[u8; 32]>::from(Sha256::digest(body)) {
            return Err(FaultFileError::Damaged);
        }
        match postcard::take_from_bytes(body) {
            Ok((evidence, [])) => Ok(evidence),
            Ok((_, rest)) => Err(FaultFileError::Malformed(format!("{} bytes too many", rest.len()))),
            Err(error) => Err(FaultFileError::Malformed(error.to_string())),
        }
    }

    /// The timers set before the frame that failed.
    pub(super) fn timers(timers: &[(u64, Timestamp)]) -> Timers {
        timers.iter().copied().collect()
    }

    /// Leaves out the oldest frames that there is no room for.
    fn fit(&mut self) {
        let mut bytes: usize = 0;
        let kept = self.frames.iter().rev().take(FRAMES_MAX).take_while(|past| {
            bytes = bytes.saturating_add(past.frame.len());
            bytes <= FRAMES_BYTES_MAX
        });
        let surplus = self.frames.len().saturating_sub(kept.count());
        self.frames.drain(..surplus);
        self.frames_left_out =
            self.frames_left_out.saturating_add(u64::try_from(surplus).unwrap_or(u64::MAX));
    }
}

/// What stands for an answer in a file: SHA-256 of its encoding.
pub fn outcome_digest(outcome: &Outcome) -> Digest {
    // Writing plain data to memory cannot fail; were it to, no two answers would be taken for different.
    Digest(Sha256::digest(postcard::to_allocvec(outcome).unwrap_or_default()).into())
}

/// A [`Setup`] from a stranger's file; over a cell's socket it comes from the gateway alone.
fn setup<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Setup, D::Error> {
    #[derive(Deserialize)]
    struct Parameter(
        #[serde(deserialize_with = "line::<_, KEY_BYTES_MAX>")] String,
        #[serde(deserialize_with = "text::<_, VALUE_BYTES_MAX>")] String,
    );

    #[derive(Deserialize)]
    struct Bounded {
        #[serde(deserialize_with = "list::<_, Parameter, PARAMETERS_MAX>")]
        parameters: Vec<Parameter>,
        #[serde(deserialize_with = "list::<_, InstrumentSpec, INSTRUMENTS_MAX>")]
        instruments: Vec<InstrumentSpec>,
        budget: Amount,
        start_time: Timestamp,
    }

    let Bounded { parameters, instruments, budget, start_time } = Bounded::deserialize(deserializer)?;
    let parameters = parameters.into_iter().map(|Parameter(name, value)| (name, value)).collect();
    Ok(Setup { parameters, instruments, budget, start_time })
}
