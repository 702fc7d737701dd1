//! What can go wrong, for whom, and what to do about it.

use std::io;
use std::path::PathBuf;

use portcullis_core::Environment;
use serde::{Serialize, Serializer};

/// Why the journal cannot be opened or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process writes to this data directory.
    #[error("{} is held by {}; stop it, or choose another --dir", path.display(), holder_name(*holder))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The holder's process id, as far as it left one.
        holder: Option<u32>,
    },
    /// The disk failed or is full. The journal is closed from here on: a failed sync is never retried, since the kernel may have
    /// dropped the pages and would report success.
    #[error("cannot {what}: {source}")]
    Storage {
        /// What was attempted.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The journal was closed by an earlier failure, given here. Nothing that adds risk may be sent.
    #[error("the journal is closed since an earlier failure: {0}")]
    Closed(String),
    /// The files are not what the journal wrote.
    #[error("{0}")]
    Corrupt(Fault),
    /// The directory belongs to another environment.
    #[error(
        "this journal belongs to environment {found:?}, not {expected:?}; use a data directory of its own for each"
    )]
    Environment {
        /// Found in the segments.
        found: Environment,
        /// Configured.
        expected: Environment,
    },
    /// A record is larger than an entry may be, or than a segment holds.
    #[error("a record of kind {kind} has {bytes} bytes, more than {max}")]
    RecordTooLong {
        /// The record's kind.
        kind: u16,
        /// Its length.
        bytes: usize,
        /// The bound, in bytes.
        max: usize,
    },
    /// The disk has not answered for so long that this much is waiting for it. The journal is closed, as if it had failed.
    #[error("{bytes} bytes wait for a disk that does not answer")]
    Backlog {
        /// What is waiting.
        bytes: usize,
    },
    /// The reserve holds what the journal must take over, and cannot.
    #[error(
        "the reserve does not follow the journal: {0}. Keep the directory as evidence; with journal/reserve.seg moved away \
         the gateway starts without what it holds, which can include a halt"
    )]
    Reserve(&'static str),
    /// A command was given with a record that is not the one of its intent. It was not minted.
    #[error("the record at {record} is not the intent of the command given with it")]
    NoRecord {
        /// Index among the records.
        record: usize,
    },
    /// A number of the journal's has run out.
    #[error("the journal has no {0} left; start a new one")]
    Exhausted(&'static str),
    /// The configured segment size is outside its range.
    #[error("a segment has {min} to {max} bytes, in steps of 8; {found} is configured")]
    SegmentSize {
        /// Configured.
        found: u64,
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// The system gave no random bytes for the salts.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// The SQLite projection failed. The journal itself is not concerned.
    #[error("the index failed: {0}; `portcullis journal reindex` builds it anew")]
    Index(#[from] rusqlite::Error),
}

impl JournalError {
    /// Stable code for logs and JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "JOURNAL_HELD",
            Self::Storage { .. } => "JOURNAL_STORAGE",
            Self::Closed(_) => "JOURNAL_CLOSED",
            Self::Corrupt(fault) => fault.cause.code(),
            Self::Environment { .. } => "JOURNAL_ENVIRONMENT",
            Self::RecordTooLong { .. } => "JOURNAL_RECORD_TOO_LONG",
            Self::Backlog { .. } => "JOURNAL_BACKLOG",
            Self::Reserve(_) => "JOURNAL_RESERVE",
            Self::NoRecord { .. } => "JOURNAL_NO_RECORD",
            Self::Exhausted(_) => "JOURNAL_EXHAUSTED",
            Self::SegmentSize { .. } => "JOURNAL_SEGMENT_SIZE",
            Self::Random(_) => "JOURNAL_RANDOM",
            Self::Index(_) => "JOURNAL_INDEX",
        }
    }

    /// For `map_err`: names what was attempted.
    pub(crate) fn storage(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Storage { what, source }
    }
}

fn holder_name(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// The first place where the files are not what the journal wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error(
    "journal damaged at sequence {sequence} (segment {segment}, byte {offset}): {cause}. Keep the directory as evidence; restore the \
     newest backup, which raises the epoch"
)]
pub struct Fault {
    /// The entry expected there; every entry before it is sound.
    pub sequence: u64,
    /// Number of the segment file.
    pub segment: u32,
    /// Byte in the segment file.
    pub offset: u64,
    /// What is wrong.
    pub cause: FaultCause,
}

/// What is wrong at a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultCause {
    /// The segment's header is not one, or its checksum fails.
    #[error("the segment's header is damaged")]
    Header,
    /// The header's number, environment, epoch, first sequence or previous leaf do not follow from the segment before.
    #[error("the segment does not follow from the one before")]
    SegmentOrder,
    /// A segment file is missing.
    #[error("a segment file is missing")]
    SegmentMissing,
    /// The segment file does not have the length it was created with.
    #[error("the segment file was cut or extended")]
    SegmentLength,
    /// Checksum or length of an entry fails where no crash can have torn it.
    #[error("an entry's checksum or length is wrong")]
    Entry,
    /// An intact entry with the wrong sequence or previous leaf.
    #[error("an entry does not chain to the one before")]
    Chain,
    /// Bytes where there must be none.
    #[error("there are bytes after the last entry")]
    Leftover,
    /// The checkpoint promises entries that are not there.
    #[error("entries are missing that the checkpoint promises")]
    Truncated,
    /// The checkpoint's head is not the leaf found.
    #[error("the entry is not the one that the checkpoint names")]
    Head,
    /// After a clean shutdown, entries beyond the checkpoint.
    #[error("entries were added after a clean shutdown")]
    Added,
    /// The checkpoint file is missing beside segments.
    #[error("the checkpoint file is missing")]
    CheckpointMissing,
    /// The checkpoint file cannot be read, or belongs to another journal.
    #[error("the checkpoint file is damaged")]
    Checkpoint,
}

impl FaultCause {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Header => "JOURNAL_HEADER",
            Self::SegmentOrder => "JOURNAL_SEGMENT_ORDER",
            Self::SegmentMissing => "JOURNAL_SEGMENT_MISSING",
            Self::SegmentLength => "JOURNAL_SEGMENT_LENGTH",
            Self::Entry => "JOURNAL_ENTRY",
            Self::Chain => "JOURNAL_CHAIN",
            Self::Leftover => "JOURNAL_LEFTOVER",
            Self::Truncated => "JOURNAL_TRUNCATED",
            Self::Head => "JOURNAL_HEAD",
            Self::Added => "JOURNAL_ADDED",
            Self::CheckpointMissing => "JOURNAL_CHECKPOINT_MISSING",
            Self::Checkpoint => "JOURNAL_CHECKPOINT",
        }
    }
}

impl Serialize for FaultCause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
