//! The tape: every frame a strategy was given and what it answered, for recovery and replay.
//!
//! Bulky, and not the truth: a lost tail reads as missing. Frames are gathered into blocks, compressed, and appended to a file of
//! one strategy and one gateway session, `DIR/tape/SESSION-STRATEGY-PART.tape`. When a part closes its SHA-256 goes into the
//! journal, so that the tape can be trusted later.
//!
//! A file is a header (magic `PORTTAP1`, strategy u16, 6 zero bytes, session u64, first frame u64) and blocks (raw length u32,
//! compressed length u32, frames u32, CRC-32C of the compressed bytes u32, then those). A block holds, for each frame, two lengths
//! u32 and the bytes of frame and outcome. Little-endian throughout.

mod read;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use portcullis_core::{Digest, Sequence, StrategyId};
use sha2::{Digest as _, Sha256};

use crate::bytes::{len_u32, len_u64};

pub use read::{read_tape, retain_tapes};

const MAGIC: &[u8; 8] = b"PORTTAP1";
const HEADER_BYTES: usize = 32;
const BLOCK_HEADER_BYTES: usize = 16;
/// Raw bytes gathered before a block is written.
const BLOCK_BYTES: usize = 128 * 1024;
/// Largest block in a file, raw or compressed: a full block and the largest frame and outcome on top.
const BLOCK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest frame and outcome together, in bytes.
const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes after which a part is closed and the next begun.
const PART_BYTES: u64 = 32 * 1024 * 1024;
/// Level 1 costs about 2 ns a byte and halves a frame of books.
const COMPRESSION_LEVEL: i32 = 1;

/// Why a tape cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapeError {
    /// The disk failed or is full.
    #[error("the tape failed: {0}")]
    Io(#[from] io::Error),
    /// A frame with its outcome is larger than 8 MiB.
    #[error("a frame and its outcome have {0} bytes, more than the tape takes")]
    TooLong(usize),
    /// The file is not a tape, or is damaged from here on. A torn end is not an error: the frames in it are missing.
    #[error("{} is not a sound tape at byte {offset}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
}

/// A part that was closed; to be journaled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedTape {
    /// File name in `DIR/tape`.
    pub name: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Its first frame's number.
    pub first: u64,
    /// Frames in it.
    pub frames: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// One frame on a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapeFrame<'a> {
    /// Running number in the strategy's session, from 0.
    pub number: u64,
    /// The frame as it was delivered.
    pub frame: &'a [u8],
    /// What came back, in the gateway's encoding: an outcome, a fault, or nothing yet known.
    pub outcome: &'a [u8],
}

/// The tape of one strategy in one gateway session.
#[derive(Debug)]
pub struct Tape {
    folder: PathBuf,
    session: Sequence,
    strategy: StrategyId,
    part: Part,
    /// Parts closed before, oldest first.
    closed: Vec<(PathBuf, u64)>,
    /// Frames not yet in a block.
    gathered: Vec<u8>,
    gathered_frames: u32,
    next: u64,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: File,
    hash: Sha256,
    first: u64,
    bytes: u64,
}

impl Tape {
    /// Begins a strategy's tape in a data directory. `session` is the sequence of the session's first journal entry.
    ///
    /// # Errors
    ///
    /// [`TapeError::Io`] when the file cannot be made, or the session has a tape of this strategy already.
    pub fn create(directory: &Path, session: Sequence, strategy: StrategyId) -> Result<Self, TapeError> {
        let folder = directory.join("tape");
        DirBuilder::new().recursive(true).mode(0o750).create(&folder)?;
        let part = Part::create(&folder, session, strategy, 0, 0)?;
        Ok(Self {
            folder,
            session,
            strategy,
            part,
            closed: Vec::new(),
            gathered: Vec::with_capacity(BLOCK_BYTES),
            gathered_frames: 0,
            next: 0,
        })
    }

    /// Appends a frame and its outcome. Now and then this writes a block, and closes a part, which is returned to be journaled.
    ///
    /// # Errors
    ///
    /// [`TapeError`]; the frame then counts as missing, and so do those gathered with it.
    pub fn append(&mut self, frame: &[u8], outcome: &[u8]) -> Result<Option<ClosedTape>, TapeError> {
        let total = frame.len().saturating_add(outcome.len());
        if total > FRAME_BYTES_MAX {
            return Err(TapeError::TooLong(total));
        }
        self.gathered.extend_from_slice(&len_u32(frame.len()).to_le_bytes());
        self.gathered.extend_from_slice(&len_u32(outcome.len()).to_le_bytes());
        self.gathered.extend_from_slice(frame);
        self.gathered.extend_from_slice(outcome);
        self.gathered_frames = self.gathered_frames.saturating_add(1);
        self.next = self.next.saturating_add(1);
        if self.gathered.len() >= BLOCK_BYTES {
            self.write_block()?;
        }
        if self.part.bytes < PART_BYTES {
            return Ok(None);
        }
        let number = self.closed.len().saturating_add(1);
        let next = Part::create(&self.folder, self.session, self.strategy, number, self.next)?;
        let full = std::mem::replace(&mut self.part, next);
        self.closed.push((full.path.clone(), full.first));
        full.close(self.next).map(Some)
    }

    /// Number of the next frame.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Hands every frame from number `from` on to `visit`, in order: what a cell replays after its snapshot was restored (RULES C3).
    ///
    /// # Errors
    ///
    /// [`TapeError`] when a part cannot be read; frames visited before are sound.
    pub fn replay(&mut self, from: u64, visit: &mut dyn FnMut(TapeFrame<'_>)) -> Result<(), TapeError> {
        self.write_block()?;
        let parts = self
            .closed
            .iter()
            .map(|(path, first)| (path, *first))
            .chain([(&self.part.path, self.part.first)]);
        let parts: Vec<_> = parts.collect();
        // The last part that begins at or before `from`, and all after it.
        let begin = parts.partition_point(|(_, first)| *first <= from).saturating_sub(1);
        for (path, _) in parts.into_iter().skip(begin) {
            read_tape(path, &mut |frame| {
                if frame.number >= from {
                    visit(frame);
                }
            })?;
        }
        Ok(())
    }

    /// Closes the last part.
    ///
    /// # Errors
    ///
    /// [`TapeError::Io`] when it cannot be written; the frames in doubt count as missing.
    pub fn close(mut self) -> Result<ClosedTape, TapeError> {
        self.write_block()?;
        self.part.close(self.next)
    }

    fn write_block(&mut self) -> Result<(), TapeError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let compressed = zstd::bulk::compress(&self.gathered, COMPRESSION_LEVEL);
        let (raw, frames) = (len_u32(self.gathered.len()), self.gathered_frames);
        // Whatever happens, the block is not tried again: a retry could write half of it twice.
        self.gathered.clear();
        self.gathered_frames = 0;
        let compressed = compressed?;
        let mut block = Vec::with_capacity(BLOCK_HEADER_BYTES.saturating_add(compressed.len()));
        for field in [raw, len_u32(compressed.len()), frames, crc32c::crc32c(&compressed)] {
            block.extend_from_slice(&field.to_le_bytes());
        }
        block.extend_from_slice(&compressed);
        self.part.write(&block)
    }
}

impl Part {
    fn create(
        folder: &Path,
        session: Sequence,
        strategy: StrategyId,
        number: usize,
        first: u64,
    ) -> Result<Self, TapeError> {
        let path = folder.join(format!("{:016}-{:05}-{number:06}.tape", session.0, strategy.0));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&path)?;
        let mut part = Self { path, file, hash: Sha256::new(), first, bytes: 0 };
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&strategy.0.to_le_bytes());
        header.extend_from_slice(&[0; 6]);
        header.extend_from_slice(&session.0.to_le_bytes());
        header.extend_from_slice(&first.to_le_bytes());
        part.write(&header)?;
        Ok(part)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), TapeError> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes = self.bytes.saturating_add(len_u64(bytes.len()));
        Ok(())
    }

    fn close(self, next: u64) -> Result<ClosedTape, TapeError> {
        self.file.sync_data()?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(ClosedTape {
            name,
            digest: Digest(self.hash.finalize().into()),
            first: self.first,
            frames: next.saturating_sub(self.first),
            bytes: self.bytes,
        })
    }
}
