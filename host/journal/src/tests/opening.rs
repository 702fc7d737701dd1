//! Opening: environments, epochs, determinism, limits, files.

use std::path::Path;

use portcullis_core::{Environment, Sequence, Timestamp};

use super::{append, body, config, draft, filled, open};
use crate::{Epoch, FileStorage, JournalError, Log, LogConfig, MemStorage, Storage, verify, verify_storage};

#[test]
fn the_same_entries_give_the_same_root() {
    let (_, once) = filled(20);
    let (_, again) = filled(20);
    assert_eq!(once.head(), again.head());
    let random = LogConfig { salts: crate::Salts::Random, ..config() };
    let mut other = Log::open(MemStorage::new(), random, &mut |_| {}).unwrap();
    append(&mut other, &body(0)).unwrap();
    let mut first = open(MemStorage::new()).unwrap().0;
    append(&mut first, &body(0)).unwrap();
    assert_ne!(other.head(), first.head(), "random salts must hide equal bodies");
}

#[test]
fn batches_do_not_change_the_chain() {
    let (_, one_by_one) = filled(20);
    let (mut log, _) = open(MemStorage::new()).unwrap();
    let bodies: Vec<_> = (0..20).map(body).collect();
    let drafts: Vec<_> = bodies.iter().map(|body| draft(body)).collect();
    log.append_drafts(Timestamp(1), &drafts).unwrap();
    log.flush().unwrap();
    assert_eq!(log.head(), one_by_one.head());
}

#[test]
fn a_batch_is_one_sync() {
    let (disk, mut log) = filled(0);
    let before = disk.syncs();
    for number in 0..5 {
        append(&mut log, &body(number)).unwrap();
    }
    log.flush().unwrap();
    assert_eq!(disk.syncs() - before, 1);
}

#[test]
fn another_environment_is_refused() {
    let (disk, log) = filled(2);
    log.close().unwrap();
    let live = LogConfig { environment: Environment::Live, ..config() };
    let refused = Log::open(disk, live, &mut |_| {});
    assert!(matches!(refused, Err(JournalError::Environment { found: Environment::Paper, .. })));
}

#[test]
fn an_epoch_lasts_until_a_restore_raises_it() {
    let (disk, log) = filled(2);
    assert_eq!(log.epoch(), Epoch::FIRST);
    log.close().unwrap();
    let raised = LogConfig { raise_epoch_above: Some(Epoch::new(4).unwrap()), ..config() };
    let mut log = Log::open(disk.clone(), raised, &mut |_| {}).unwrap();
    assert_eq!(log.epoch().get(), 5);
    append(&mut log, &body(2)).unwrap();
    log.close().unwrap();
    let mut epochs = Vec::new();
    let log = Log::open(disk, config(), &mut |stored| epochs.push(stored.epoch.get())).unwrap();
    assert_eq!(epochs, [1, 1, 5]);
    assert_eq!(log.epoch().get(), 5);
}

#[test]
fn a_record_that_fits_no_segment_is_refused_and_nothing_else_is_lost() {
    let (_, mut log) = filled(2);
    let before = log.head();
    assert!(matches!(append(&mut log, &[1; 4096]), Err(JournalError::RecordTooLong { bytes: 4096, .. })));
    assert_eq!(log.head(), before);
    append(&mut log, &vec![1; config().body_bytes_max()]).unwrap();
    log.flush().unwrap();
}

#[test]
fn segment_sizes_have_bounds() {
    for segment_bytes in [0, 4095, 4097, 1 << 40] {
        let refused = Log::open(MemStorage::new(), LogConfig { segment_bytes, ..config() }, &mut |_| {});
        assert!(matches!(refused, Err(JournalError::SegmentSize { .. })), "{segment_bytes}");
    }
}

fn open_files(directory: &Path) -> Result<(Log<FileStorage>, usize), JournalError> {
    let mut found = 0;
    let log = Log::open(FileStorage::open(directory)?, config(), &mut |_| found += 1)?;
    Ok((log, found))
}

#[test]
fn files_hold_the_same_journal_as_memory() {
    let directory = tempfile::tempdir().unwrap();
    let (mut log, _) = open_files(directory.path()).unwrap();
    let (disk, memory) = filled(50);
    for number in 0..50 {
        append(&mut log, &body(number)).unwrap();
        log.flush().unwrap();
    }
    assert_eq!(log.head(), memory.head());
    // While it is being written, without the lock.
    let live = verify(directory.path()).unwrap();
    assert_eq!((live.ok, live.records), (true, 50));
    log.close().unwrap();
    memory.close().unwrap();
    assert_eq!(verify(directory.path()).unwrap(), verify_storage(&disk).unwrap());
    let (log, found) = open_files(directory.path()).unwrap();
    assert_eq!((found, log.head().0), (50, Sequence(50)));
}

#[test]
fn a_second_writer_is_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (first, _) = open_files(directory.path()).unwrap();
    let refused = open_files(directory.path()).map(|_| ());
    let Err(JournalError::Held { holder, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(holder, Some(std::process::id()));
    drop(first);
    open_files(directory.path()).unwrap();
}

#[test]
fn half_prepared_segments_are_removed_and_prepared_ones_are_no_damage() {
    let directory = tempfile::tempdir().unwrap();
    let (mut log, _) = open_files(directory.path()).unwrap();
    // Past the middle of the first segment, so that the second is prepared; dropping waits for it.
    for _ in 0..6 {
        append(&mut log, &[9; 300]).unwrap();
    }
    log.flush().unwrap();
    drop(log);
    let journal = directory.path().join("journal");
    assert!(journal.join("0000000002.seg").exists());
    std::fs::write(journal.join("0000000003.seg.tmp"), b"half").unwrap();
    assert!(verify(directory.path()).unwrap().ok);
    let (log, found) = open_files(directory.path()).unwrap();
    assert_eq!(found, 6);
    assert!(!journal.join("0000000003.seg.tmp").exists());
    drop(log);
}

#[test]
fn reading_only_never_writes() {
    let directory = tempfile::tempdir().unwrap();
    let reader = FileStorage::read_only(directory.path());
    assert!(reader.create(1, 4096).is_err());
    assert!(reader.replace_checkpoint(b"").is_err());
    assert!(Log::open(reader, config(), &mut |_| {}).is_err());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert!(matches!(verify(directory.path()), Err(JournalError::Storage { .. })), "there is no journal");
}
