//! Whatever is changed is found, at the place where it was changed.

use proptest::prelude::*;

use super::{append, body, filled, open};
use crate::{Fault, FaultCause, JournalError, MemStorage, Storage, verify_storage};

/// Length of the segments that `super::config` makes.
const SEGMENT: usize = 4096;

fn closed(entries: u64) -> MemStorage {
    let (disk, log) = filled(entries);
    log.close().unwrap();
    disk
}

/// The first fault, which `verify` and `open` must agree on.
fn fault(disk: &MemStorage) -> Option<Fault> {
    let report = verify_storage(disk).unwrap();
    assert_eq!(report.ok, report.first_bad.is_none());
    let opened = open(disk.after_crash(|| true));
    match (&report.first_bad, opened) {
        (None, Ok((_, found))) => assert_eq!(report.records, found.len() as u64),
        (Some(fault), Err(JournalError::Corrupt(also))) => assert_eq!(*fault, also),
        (verified, opened) => panic!("verify says {verified:?}, open says {:?}", opened.map(|_| ())),
    }
    report.first_bad
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_changed_bit_of_a_closed_journal_is_found(segment in 1_u32..=3, at in 0..SEGMENT, bit in 0_u8..8) {
        let disk = closed(30);
        disk.tamper(segment, |bytes| bytes[at] ^= 1 << bit);
        let fault = fault(&disk).unwrap();
        prop_assert!(fault.segment <= segment);
        prop_assert!(fault.segment < segment || fault.offset <= at as u64);
    }

    #[test]
    fn any_changed_bit_before_the_last_write_is_found_after_a_crash(entry in 0_usize..29, at in 0..150_usize, bit in 0_u8..8) {
        // Killed, not closed: the checkpoint promises nothing, and only the entries themselves can tell damage from a torn tail.
        let (disk, log) = filled(30);
        drop(log);
        let (segment, offset) = frames(&disk)[entry];
        disk.tamper(segment, |bytes| bytes[offset + at] ^= 1 << bit);
        let fault = fault(&disk).unwrap();
        prop_assert_eq!(fault.sequence, entry as u64);
    }
}

/// Where each frame starts: its segment and offset.
fn frames(disk: &MemStorage) -> Vec<(u32, usize)> {
    let mut places = Vec::new();
    let mut bytes = Vec::new();
    for number in disk.segments().unwrap() {
        disk.read(number, 0, u64::MAX, &mut bytes).unwrap();
        let mut offset = crate::segment::HEADER_BYTES;
        while let crate::segment::Frame::Whole { next, .. } = crate::segment::frame_at(&bytes, offset) {
            places.push((number, offset));
            offset = next;
        }
    }
    places
}

#[test]
fn a_sound_journal_verifies() {
    let disk = closed(30);
    let report = verify_storage(&disk).unwrap();
    let (log, found) = open(disk).unwrap();
    assert_eq!((report.ok, report.records, report.checkpoints, report.torn_bytes), (true, 30, 1, 0));
    assert_eq!(report.root, found[29].1.to_string());
    assert_eq!(log.head(), (portcullis_core::Sequence(30), found[29].1));
}

#[test]
fn a_changed_last_entry_cannot_pass_for_a_torn_tail() {
    let disk = closed(5);
    let (segment, offset) = frames(&disk)[4];
    disk.tamper(segment, |bytes| bytes[offset + 150] ^= 1);
    let fault = fault(&disk).unwrap();
    assert_eq!((fault.sequence, fault.cause), (4, FaultCause::Entry));
}

#[test]
fn a_rewritten_last_entry_is_not_the_one_the_checkpoint_names() {
    // The attacker knows the format and makes checksum and chain fit.
    let disk = closed(5);
    let (segment, offset) = frames(&disk)[4];
    disk.tamper(segment, |bytes| {
        let crate::segment::Frame::Whole { entry, durable, .. } = crate::segment::frame_at(bytes, offset)
        else {
            panic!()
        };
        let mut entry = entry.to_vec();
        *entry.last_mut().unwrap() ^= 1;
        let mut frame = Vec::new();
        crate::segment::push_frame(&mut frame, durable, |out| out.extend_from_slice(&entry));
        bytes[offset..offset + frame.len()].copy_from_slice(&frame);
    });
    let fault = fault(&disk).unwrap();
    assert_eq!((fault.sequence, fault.cause), (4, FaultCause::Head));
}

#[test]
fn a_cut_journal_is_found() {
    // The last entry zeroed away after a clean shutdown.
    let disk = closed(5);
    let (segment, offset) = frames(&disk)[4];
    disk.tamper(segment, |bytes| bytes[offset..].fill(0));
    assert_eq!(fault(&disk).unwrap().cause, FaultCause::Truncated);

    // The file cut short, even after a crash.
    let (disk, log) = filled(5);
    drop(log);
    disk.tamper(segment, |bytes| bytes.truncate(2048));
    assert_eq!(fault(&disk).unwrap().cause, FaultCause::SegmentLength);
    disk.tamper(segment, Vec::clear);
    assert_eq!(fault(&disk).unwrap().cause, FaultCause::SegmentLength);

    // Whole segments removed.
    let disk = closed(30);
    disk.remove(2).unwrap();
    assert_eq!(fault(&disk).unwrap().cause, FaultCause::SegmentMissing);
    let disk = closed(30);
    let last = disk.segments().unwrap().pop().unwrap();
    disk.remove(last).unwrap();
    assert_eq!(fault(&disk).unwrap().cause, FaultCause::Truncated);
}

#[test]
fn the_checkpoint_is_guarded_too() {
    let disk = closed(5);
    disk.tamper_checkpoint(|checkpoint| *checkpoint = None);
    assert_eq!(fault(&disk).unwrap().cause, FaultCause::CheckpointMissing);

    disk.tamper_checkpoint(|checkpoint| *checkpoint = Some(b"portcullis-journal 1\nsize 0\n".to_vec()));
    assert_eq!(fault(&disk).unwrap().cause, FaultCause::Checkpoint);
}

#[test]
fn entries_added_after_a_clean_shutdown_are_found() {
    let disk = closed(5);
    let mut sealed = None;
    disk.tamper_checkpoint(|checkpoint| sealed = checkpoint.clone());
    let (mut log, _) = open(disk.clone()).unwrap();
    append(&mut log, &body(5)).unwrap();
    log.flush().unwrap();
    drop(log);
    disk.tamper_checkpoint(|checkpoint| *checkpoint = sealed);
    let fault = fault(&disk).unwrap();
    assert_eq!((fault.sequence, fault.cause), (5, FaultCause::Added));
}
