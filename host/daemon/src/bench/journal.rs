//! Durable commits, against a bare write and `fdatasync` of as many bytes in the same run.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use portcullis_core::{Environment, Finding, FindingKind, Record, Timestamp};
use portcullis_journal::{FileStorage, Journal, Log, LogConfig, Writer, boot_id};
use serde_json::json;

use super::{Figures, Samples, ratio};
use crate::clock;
use crate::failure::Failure;

const COMMITS: u64 = 1_500;
const BATCHES: u64 = 300;
const BATCH: usize = 64;

/// About the size of an intent's entry, in bytes.
const BODY_BYTES: usize = 300;

/// Bytes of one bare write: as long as the journal's frame around such a body, rounded up to 8.
const BARE_STEP: u64 = 472;

/// Bytes of the bare file: as much as will be written.
const BARE_BYTES: u64 = BARE_STEP * COMMITS;

/// Measures `journal_commit_p50_ratio`, `journal_commit_p99_ratio` and `journal_entries_per_s_batch64`.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let scratch = Scratch::new()?;
    let storage = FileStorage::open(&scratch.0).map_err(anyhow::Error::new)?;
    let config = LogConfig::live(Environment::Paper, boot_id().map_err(anyhow::Error::new)?);
    let log = Log::open(storage, config, &mut |_| {}).map_err(anyhow::Error::new)?;
    let mut journal = Writer::new(log).map_err(anyhow::Error::new)?;
    let bare = preallocated(&scratch.0.join("bare"))?;

    // Taken in turns, so that both meet the same disk.
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let bytes = vec![0x5a_u8; usize::try_from(BARE_STEP).unwrap_or(0)];
    let mut offset: u64 = 0;
    for _ in 0..COMMITS {
        let started = Instant::now();
        journal
            .append(clock::now(), &[record()])
            .and_then(|_| journal.flush())
            .map_err(anyhow::Error::new)?;
        ours.push(started.elapsed());

        let started = Instant::now();
        bare.write_all_at(&bytes, offset).and_then(|()| bare.sync_data()).context("the bare file")?;
        theirs.push(started.elapsed());
        offset = offset.saturating_add(BARE_STEP);
    }

    let records: Vec<Record> = (0..BATCH).map(|_| record()).collect();
    let started = Instant::now();
    for _ in 0..BATCHES {
        journal.append(clock::now(), &records).and_then(|_| journal.flush()).map_err(anyhow::Error::new)?;
    }
    let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let entries = BATCHES.saturating_mul(BATCH as u64);
    journal.close().map_err(anyhow::Error::new)?;

    figures.insert("journal_commit_p50_ratio".to_owned(), ratio(ours.rank(500), theirs.rank(500)));
    figures.insert("journal_commit_p99_ratio".to_owned(), ratio(ours.rank(990), theirs.rank(990)));
    figures.insert("journal_commit_p50_us".to_owned(), super::scaled(ours.rank(500), 1_000));
    figures.insert("journal_bare_write_p50_us".to_owned(), super::scaled(theirs.rank(500), 1_000));
    figures.insert(
        "journal_entries_per_s_batch64".to_owned(),
        json!(entries.saturating_mul(1_000_000_000).checked_div(nanos)),
    );
    Ok(())
}

fn record() -> Record {
    let detail = "x".repeat(BODY_BYTES);
    Record::Finding(Finding {
        kind: FindingKind::StillUnknown,
        order: None,
        instrument: None,
        detail,
        at: Timestamp(0),
    })
}

/// A file whose every block is there before the first measurement.
fn preallocated(path: &std::path::Path) -> Result<File, Failure> {
    let file =
        OpenOptions::new().write(true).create_new(true).open(path).context("cannot make the bare file")?;
    file.write_all_at(&vec![0; usize::try_from(BARE_BYTES).unwrap_or(0)], 0)
        .and_then(|()| file.sync_all())
        .context("cannot fill the bare file")?;
    Ok(file)
}

/// A directory of its own, removed at the end.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new() -> Result<Self, Failure> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| anyhow!("no randomness from the system: {error}"))?;
        let path = std::env::temp_dir().join(format!("portcullis-bench-{}", hex::encode(random)));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
