//! Tests of the log over a disk that breaks. They append raw drafts, so that bodies of any size and unknown kinds are tried too.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

mod crash;
mod damage;
mod index;
mod opening;
mod reserve;
mod tail;
mod tape;
mod writer;

use portcullis_core::{Actor, Digest, Environment, Timestamp};

use crate::draft::Draft;
use crate::{JournalError, Log, LogConfig, MemStorage, Receipt, Storage};

/// Small segments, so that a few entries fill one.
fn config() -> LogConfig {
    LogConfig { segment_bytes: 4096, ..LogConfig::lab(Environment::Paper, [7; 32]) }
}

/// The body and leaf of each entry.
type Found = Vec<(Vec<u8>, Digest)>;

/// Opens and returns what was visited.
fn open<S: Storage>(storage: S) -> Result<(Log<S>, Found), JournalError> {
    let mut found = Vec::new();
    let log =
        Log::open(storage, config(), &mut |stored| found.push((stored.entry.body.to_vec(), stored.leaf)))?;
    Ok((log, found))
}

fn append<S: Storage>(log: &mut Log<S>, body: &[u8]) -> Result<Receipt, JournalError> {
    log.append_drafts(Timestamp(1), &[draft(body)]).map(|receipts| receipts[0].unwrap())
}

/// An entry of a kind that no version knows.
fn draft(body: &[u8]) -> Draft<'_> {
    Draft {
        kind: 60_000,
        actor: Actor::Host,
        strategy: None,
        bundle: None,
        essential: false,
        body: body.into(),
    }
}

/// A body that differs with `number`, of a length that does too.
fn body(number: u64) -> Vec<u8> {
    let length = 8 + (number * 37 % 300) as usize;
    number.to_le_bytes().iter().copied().cycle().take(length).collect()
}

/// A journal of `entries`, each flushed by itself.
fn filled(entries: u64) -> (MemStorage, Log<MemStorage>) {
    let disk = MemStorage::new();
    let (mut log, _) = open(disk.clone()).unwrap();
    for number in 0..entries {
        append(&mut log, &body(number)).unwrap();
        log.flush().unwrap();
    }
    (disk, log)
}
