//! `portcullis journal verify`.

use std::io;
use std::path::Path;

use portcullis_core::{Digest, Sequence};
use serde::Serialize;

use crate::bytes::len_u64;
use crate::takeover::Takeover;
use crate::{Fault, FileStorage, JournalError, Storage, walk};

/// What a verification found. As JSON: `{ok, records, root, checkpoints, first_bad, torn_bytes, reserve}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether every byte is as the journal wrote it.
    pub ok: bool,
    /// Sound entries, counted from the first.
    pub records: u64,
    /// Leaf of the last sound entry in hex: the head of the chain. Zero when there is none.
    pub root: String,
    /// Checkpoints that were checked against the chain.
    pub checkpoints: u64,
    /// The first place that is wrong.
    pub first_bad: Option<Fault>,
    /// Bytes after the last entry that a crash or a write under way left unfinished; the next start removes them.
    pub torn_bytes: u64,
    /// What the reserve holds.
    pub reserve: ReserveReport,
}

/// What a verification found in the reserve. As JSON: `{ok, records, waiting}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReserveReport {
    /// Whether the journal can take over what it holds; if not, the gateway does not start.
    pub ok: bool,
    /// Sound entries in it, from its first.
    pub records: u64,
    /// Those that the journal does not have; the next start takes them over.
    pub waiting: u64,
}

/// A verification that finds damage runs again, up to this many times in all: beside a live writer, a read that was
/// interrupted between two pages may see the later one newer.
const RUNS_MAX: u32 = 3;

/// Verifies the journal of a data directory, also while it is being written. Changes nothing and takes no lock.
///
/// # Errors
///
/// [`JournalError::Storage`] when there is no journal or it cannot be read. Damage is not an error but a finding:
/// [`Report::first_bad`].
pub fn verify(directory: &Path) -> Result<Report, JournalError> {
    verify_storage(&FileStorage::read_only(directory))
}

/// Verifies a journal in any storage; see [`verify`].
///
/// # Errors
///
/// As [`verify`].
pub fn verify_storage(storage: &dyn Storage) -> Result<Report, JournalError> {
    let mut runs: u32 = 1;
    loop {
        let report = run(storage)?;
        if report.ok || runs >= RUNS_MAX {
            return Ok(report);
        }
        runs = runs.saturating_add(1);
    }
}

fn run(storage: &dyn Storage) -> Result<Report, JournalError> {
    let mut last: Option<(Sequence, Digest)> = None;
    let mut takeover =
        Takeover::read(storage.reserve()).map_err(JournalError::storage("read the journal's reserve"))?;
    let reserve = ReserveReport { ok: true, records: takeover.len(), waiting: 0 };
    let outcome = walk::walk(storage, &mut |stored| {
        takeover.compare(stored);
        last = Some((stored.entry.sequence, stored.leaf));
    });
    let (records, root) =
        last.map_or((0, Digest::default()), |(last, leaf)| (last.0.saturating_add(1), leaf));
    let mut report = Report {
        ok: true,
        records,
        root: root.to_string(),
        checkpoints: 0,
        first_bad: None,
        torn_bytes: 0,
        reserve,
    };
    match outcome {
        Ok(walk) if walk.checkpoint.is_none() => {
            // A mistyped directory must not pass for a sound journal.
            return Err(JournalError::storage("find a journal")(io::ErrorKind::NotFound.into()));
        }
        Ok(walk) => {
            report.checkpoints = 1;
            report.torn_bytes = walk.torn_bytes;
            match takeover.waiting(&walk) {
                Ok(waiting) => report.reserve.waiting = len_u64(waiting.len()),
                Err(_) => (report.ok, report.reserve.ok) = (false, false),
            }
        }
        Err(JournalError::Corrupt(fault)) => {
            report.ok = false;
            report.first_bad = Some(fault);
        }
        Err(error) => return Err(error),
    }
    Ok(report)
}
