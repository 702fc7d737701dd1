//! The durable, hash-chained log of every decision.
//!
//! Append-only, preallocated segment files are the truth; everything else is a projection of them. Entries are facts: folding
//! them gives the gate's state back. Nothing that adds risk leaves for the venue before the entry that says so is on the disk,
//! and the type [`JournaledCommand`], minted here alone, is the proof.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod bytes;
mod chain;
mod checkpoint;
mod config;
mod entry;
mod error;
mod file;
mod link;
mod lock;
mod log;
mod memory;
mod receipt;
mod segment;
mod storage;
mod verify;
mod walk;

pub use config::{LogConfig, Monotonic, Salts, boot_id};
pub use entry::{Actor, BODY_BYTES_MAX, Entry};
pub use error::{Fault, FaultCause, JournalError};
pub use file::FileStorage;
pub use link::{Epoch, LinkParts, link_id};
pub use lock::DirectoryLock;
pub use log::Log;
pub use memory::{Faults, MemStorage};
pub use receipt::Receipt;
pub use storage::{SEGMENT_BYTES_MAX, Storage};
pub use verify::{Report, verify, verify_storage};
pub use walk::Stored;

#[cfg(test)]
mod tests;
