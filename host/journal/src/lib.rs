//! The durable, hash-chained log of every decision.
//!
//! Append-only, preallocated segment files are the truth; everything else is a projection of them. Entries are facts: folding
//! them gives the gate's state back. Nothing that adds risk leaves for the venue before the entry that says so is on the disk,
//! and the type [`JournaledCommand`], minted here alone, is the proof. What takes risk away leaves also when the disk fails: the
//! chain then goes on in a reserve, which the next start takes over.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod bytes;
mod chain;
mod checkpoint;
mod config;
mod draft;
mod entry;
mod error;
mod file;
mod index;
mod journal;
mod journaled;
mod line;
mod link;
mod lock;
mod log;
mod memory;
mod receipt;
mod reserve_file;
mod segment;
mod spool;
mod storage;
mod tail;
mod takeover;
mod tape;
mod verify;
mod wait;
mod walk;
mod writer;

pub use config::{LogConfig, Monotonic, Salts, boot_id};
pub use entry::{BODY_BYTES_MAX, Entry};
pub use error::{Fault, FaultCause, JournalError};
pub use file::FileStorage;
pub use index::{Index, Indexer, reindex};
pub use journal::{Health, Journal};
pub use journaled::{Committed, JournaledCommand, Withheld};
pub use line::EntryLine;
pub use link::{Epoch, LinkParts, link_id};
pub use lock::DirectoryLock;
pub use log::Log;
pub use memory::{Faults, MemStorage};
pub use receipt::Receipt;
pub use storage::{Reserve, SEGMENT_BYTES_MAX, Storage};
pub use tail::{Tail, tail};
pub use tape::{ClosedTape, Tape, TapeError, TapeFrame, read_tape, retain_tapes};
pub use verify::{Report, ReserveReport, verify, verify_storage};
pub use wait::Wait;
pub use walk::Stored;
pub use writer::Writer;

#[cfg(test)]
mod tests;
