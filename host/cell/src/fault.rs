//! A fault as a file, and the fault brought about again from it.

mod file;
mod replay;

pub use file::{FAULT_FILE_BYTES_MAX, FaultFile, FaultFileError, FaultedCall, PastFrame, outcome_digest};
pub use replay::{Place, Replay, ReplayedFault, replay};
