//! The reserve as a file: the journal's directory is lost under a running writer, and comes back.

#![allow(missing_docs, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "test code")]

use std::fs;
use std::path::Path;

use portcullis_core::{Environment, Finding, FindingKind, Record, Timestamp};
use portcullis_journal::{FileStorage, Health, Journal, JournalError, Log, LogConfig, Wait, Writer, verify};

fn finding(number: u64) -> Record {
    Record::Finding(Finding {
        kind: FindingKind::LateFill,
        order: None,
        instrument: None,
        detail: format!("{number:0400}"),
        at: Timestamp(1),
    })
}

/// Opens the journal, and returns what it holds.
fn open(directory: &Path) -> Result<(Writer<FileStorage>, Vec<Record>), JournalError> {
    let mut found = Vec::new();
    let config = LogConfig { segment_bytes: 64 * 1024, ..LogConfig::live(Environment::Paper, [1; 16]) };
    let log = Log::open(FileStorage::open(directory)?, config, &mut |stored| {
        found.push(Record::decode(stored.entry.kind, &stored.entry.body).unwrap());
    })?;
    Ok((Writer::new(log)?, found))
}

#[test]
fn a_lost_directory_costs_no_entry() {
    let directory = tempfile::tempdir().unwrap();
    let (at, gone) = (directory.path().join("journal"), directory.path().join("gone"));
    let (mut writer, _) = open(directory.path()).unwrap();
    let mut written = 0;
    let mut commit = |writer: &mut Writer<FileStorage>| {
        writer.commit(Timestamp(1), &[finding(written)], Vec::new(), Wait::Durable).unwrap();
        written += 1;
        written
    };
    commit(&mut writer);
    fs::rename(&at, &gone).unwrap();
    // The open segment goes on until it is full; the next one cannot be made.
    while writer.health() != Health::Failed {
        assert!(commit(&mut writer) < 1_000);
    }
    for _ in 0..20 {
        commit(&mut writer);
    }
    let count = commit(&mut writer);
    assert!(writer.close().is_err());
    fs::rename(&gone, &at).unwrap();

    let report = verify(directory.path()).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.records + report.reserve.waiting, count);
    let (writer, found) = open(directory.path()).unwrap();
    let (note, entries) = found.split_last().unwrap();
    assert!(entries.iter().eq(&(0..count).map(finding).collect::<Vec<_>>()));
    assert!(matches!(note, Record::Finding(Finding { kind: FindingKind::ReserveUsed, .. })));
    writer.close().unwrap();
    assert_eq!(verify(directory.path()).unwrap().reserve.records, 0);
}

#[test]
fn a_reserve_of_another_length_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).unwrap().0.close().unwrap();
    let file = directory.path().join("journal/reserve.seg");
    fs::write(&file, [0; 100]).unwrap();
    assert!(matches!(open(directory.path()), Err(JournalError::Storage { .. })));
    fs::remove_file(&file).unwrap();
    open(directory.path()).unwrap().0.close().unwrap();
    assert!(fs::metadata(&file).unwrap().len() > 1024 * 1024, "it is made anew");
}
