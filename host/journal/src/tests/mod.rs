//! Tests of the log over a disk that breaks. They append raw drafts, so that bodies of any size and unknown kinds are tried too.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

mod crash;
mod damage;
mod opening;

use portcullis_core::{Digest, Environment, Timestamp};

use crate::chain::Draft;
use crate::{Actor, JournalError, Log, LogConfig, MemStorage, Receipt, Storage};

/// Small segments, so that a few entries fill one.
fn config() -> LogConfig {
    LogConfig { segment_bytes: 4096, ..LogConfig::lab(Environment::Paper, [7; 32]) }
}

/// Opens and returns what was visited: each entry's body and leaf.
fn open<S: Storage>(storage: S) -> Result<(Log<S>, Vec<(Vec<u8>, Digest)>), JournalError> {
    let mut found = Vec::new();
    let log =
        Log::open(storage, config(), &mut |stored| found.push((stored.entry.body.to_vec(), stored.leaf)))?;
    Ok((log, found))
}

fn append<S: Storage>(log: &mut Log<S>, body: &[u8]) -> Result<Receipt, JournalError> {
    let draft = Draft { kind: 60_000, actor: Actor::Host, strategy: Digest::default(), body };
    log.append_drafts(Timestamp(1), &[draft]).map(|receipts| receipts[0])
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
