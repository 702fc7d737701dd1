//! The reserve: what goes there when the journal cannot be written, and how it comes back.

use portcullis_core::{Actor, Digest, Environment, Finding, Record, Timestamp};

use super::{append, body, config, draft, filled, open};
use crate::draft::Draft;
use crate::spool::Kept;
use crate::{Epoch, Faults, JournalError, Log, LogConfig, MemStorage, Wait, Writer, verify_storage};

const BROKEN: Faults = Faults {
    syncs_until_failure: Some(0),
    disk_full: false,
    sync_stalls: false,
    reserve_fails: false,
    reserve_stalls: false,
};
const STALLED: Faults = Faults { syncs_until_failure: None, sync_stalls: true, ..BROKEN };

/// A journal of three entries whose disk broke before the fourth and fifth: what a power cut leaves, and the two entries' leaves.
fn put_aside() -> (MemStorage, [Digest; 2]) {
    let (disk, mut log) = filled(3);
    disk.set_faults(BROKEN);
    let leaves = [3, 4].map(|number| {
        let receipt = append(&mut log, &body(number)).unwrap();
        log.keep();
        receipt.leaf
    });
    (disk.after_crash(|| false), leaves)
}

fn bodies(disk: &MemStorage) -> Vec<Vec<u8>> {
    open(disk.after_crash(|| true)).unwrap().1.into_iter().map(|(body, _)| body).collect()
}

#[test]
fn entries_come_back_as_they_were_and_the_journal_says_so() {
    let (disk, leaves) = put_aside();
    let before = verify_storage(&disk).unwrap();
    assert!(before.ok && before.reserve.ok);
    assert_eq!((before.records, before.reserve.records, before.reserve.waiting), (3, 2, 2));

    let mut note = None;
    let mut found = Vec::new();
    let log = Log::open(disk.clone(), config(), &mut |stored| {
        found.push((stored.entry.body.to_vec(), stored.leaf));
        note = Record::decode(stored.entry.kind, &stored.entry.body).ok();
    })
    .unwrap();
    assert_eq!(found[3..5], [(body(3), leaves[0]), (body(4), leaves[1])]);
    let Some(Record::Finding(Finding { detail, .. })) = note else { panic!("{note:?}") };
    assert!(detail.contains("entries 3 to 4"), "{detail}");
    log.close().unwrap();

    let after = verify_storage(&disk).unwrap();
    assert_eq!((after.ok, after.records, after.reserve.records), (true, 6, 0));
    assert_eq!(open(disk).unwrap().1.len(), 6, "a second start changes nothing");
}

#[test]
fn a_takeover_that_is_cut_short_is_done_once() {
    let (disk, _) = put_aside();
    // The journal fails again, before or after its entries are durable, or the reserve cannot be cleared.
    for (syncs, reserve_fails) in [(Some(0), false), (Some(1), false), (Some(2), false), (None, true)] {
        let disk = disk.after_crash(|| true);
        disk.set_faults(Faults { syncs_until_failure: syncs, reserve_fails, ..BROKEN });
        let _ = open(disk.clone());
        for survives in [true, false] {
            let found = bodies(&disk.after_crash(|| survives));
            assert_eq!(found[..5], [0, 1, 2, 3, 4].map(body), "after {syncs:?} syncs");
            assert_eq!(found.len(), 6, "after {syncs:?} syncs");
        }
    }
}

#[test]
fn a_torn_reserve_gives_what_is_whole() {
    let (disk, _) = put_aside();
    let mut length = 0;
    disk.tamper_reserve(|bytes| length = bytes.len());
    for cut in 0..length {
        let disk = disk.after_crash(|| true);
        disk.tamper_reserve(|bytes| bytes[cut..].fill(0));
        let found = bodies(&disk);
        // The note comes last, where there is something to note.
        let kept = if found.len() > 3 { found.len() - 1 } else { 3 };
        assert_eq!(found[..kept], [0, 1, 2, 3, 4].map(body)[..kept], "cut at {cut}");
    }
}

#[test]
fn a_reserve_that_does_not_follow_the_journal_stops_the_start() {
    let mut reserve = Vec::new();
    put_aside().0.tamper_reserve(|bytes| reserve.clone_from(bytes));
    let others = [
        // Shorter: entries between are missing. Longer: the same places hold something else.
        filled(2).0,
        {
            let (disk, mut log) = filled(3);
            append(&mut log, b"another").unwrap();
            log.flush().unwrap();
            disk
        },
        // Another life: the ids of what is in the reserve would be others.
        {
            let (disk, log) = filled(3);
            drop(log);
            let raised = LogConfig { raise_epoch_above: Some(Epoch::FIRST), ..config() };
            drop(Log::open(disk.clone(), raised, &mut |_| {}).unwrap());
            disk
        },
    ];
    for disk in others {
        disk.tamper_reserve(|bytes| bytes.clone_from(&reserve));
        assert!(matches!(open(disk.clone()), Err(JournalError::Reserve(_))));
        let report = verify_storage(&disk).unwrap();
        assert_eq!((report.ok, report.reserve.ok), (false, false));
    }
}

#[test]
fn entries_are_taken_over_in_the_life_they_were_written_in() {
    let (disk, _) = put_aside();
    let raised = LogConfig { raise_epoch_above: Some(Epoch::FIRST), ..config() };
    let mut epochs = Vec::new();
    let log = Log::open(disk, raised, &mut |stored| epochs.push(stored.epoch)).unwrap();
    assert!(epochs.iter().all(|epoch| *epoch == Epoch::FIRST), "{epochs:?}");
    assert!(log.epoch() > Epoch::FIRST);
}

/// An entry that is kept though there is hardly room.
fn essential(body: &[u8]) -> Draft<'_> {
    Draft { essential: true, actor: Actor::Operator, ..draft(body) }
}

#[test]
fn the_last_of_the_room_is_kept_for_what_nothing_else_can_tell() {
    let (disk, _) = filled(0);
    disk.set_reserve_bytes(4096);
    let (mut log, _) = open(disk.clone()).unwrap();
    disk.set_faults(BROKEN);
    let mut kept = Vec::new();
    for number in 0..40 {
        let body = body(number);
        let fact = log.append_drafts(Timestamp(1), &[draft(&body)]).unwrap();
        kept.extend(fact[0].map(|_| body.clone()));
        log.keep();
    }
    assert!((5..20).contains(&kept.len()), "{} facts in half of 4 KiB", kept.len());
    for number in 100..103 {
        let body = body(number);
        assert!(log.append_drafts(Timestamp(1), &[essential(&body)]).unwrap()[0].is_some());
        log.keep();
        kept.push(body);
    }
    assert_eq!(bodies(&disk.after_crash(|| false))[..kept.len()], kept);

    // When it is full, entries still get their places, and what the reserve has stays whole.
    for number in 200..240 {
        assert!(log.append_drafts(Timestamp(1), &[essential(&body(number))]).unwrap()[0].is_some());
        log.keep();
    }
    assert_eq!(bodies(&disk.after_crash(|| false))[..kept.len()], kept);
}

#[test]
fn a_reserve_that_fails_too_stops_nothing() {
    let (disk, mut log) = filled(3);
    disk.set_faults(Faults { reserve_fails: true, ..BROKEN });
    for number in 3..6 {
        assert!(log.append_drafts(Timestamp(1), &[essential(&body(number))]).unwrap()[0].is_some());
        assert_eq!(log.keep(), Kept::Aside);
    }
    assert_eq!(bodies(&disk.after_crash(|| false)).len(), 3);
}

#[test]
fn a_disk_that_stalls_does_not_keep_entries_from_the_reserve() {
    let disk = MemStorage::new();
    let writer = Writer::new(open(disk.clone()).unwrap().0).unwrap();
    let write = |number| {
        let body = body(number);
        let mut kept = writer.write(Timestamp(1), &[draft(&body)], Some(Wait::BOUNDED)).unwrap().kept;
        // A busy machine may need more than one wait.
        while kept == Kept::Nowhere {
            kept = writer.write(Timestamp(1), &[], Some(Wait::BOUNDED)).unwrap().kept;
        }
        kept
    };
    assert_eq!(write(0), Kept::Journal);
    for first in [1, 3] {
        disk.set_faults(STALLED);
        assert_eq!([write(first), write(first + 1)], [Kept::Aside; 2]);
        let found = bodies(&disk.after_crash(|| false));
        assert_eq!(
            found[..3 + usize::try_from(first).unwrap() - 1],
            (0..first + 2).map(body).collect::<Vec<_>>()
        );
        // The disk answers after all: the journal has everything, and the next stall begins the reserve anew.
        disk.set_faults(Faults::default());
        writer.flush().unwrap();
        assert_eq!(bodies(&disk.after_crash(|| false)).len() as u64, first + 2);
    }
    assert_eq!(write(5), Kept::Journal);
    writer.close().unwrap();
    assert_eq!(verify_storage(&disk).unwrap().records, 6);
    assert_eq!(open(disk).unwrap().1.len(), 6);
}

#[test]
fn a_shutdown_without_a_journal_waits_for_the_reserve() {
    let disk = MemStorage::new();
    let writer = Writer::new(open(disk.clone()).unwrap().0).unwrap();
    disk.set_faults(BROKEN);
    for number in 0..3 {
        writer.write(Timestamp(1), &[draft(&body(number))], None).unwrap();
    }
    assert!(matches!(writer.close(), Err(JournalError::Closed(_) | JournalError::Storage { .. })));
    assert_eq!(bodies(&disk.after_crash(|| false))[..3], [0, 1, 2].map(body));
}

#[test]
fn another_journal_cannot_be_taken_over() {
    let (disk, _) = put_aside();
    let mut reserve = Vec::new();
    disk.tamper_reserve(|bytes| reserve.clone_from(bytes));
    let other = MemStorage::new();
    let config = LogConfig { ..LogConfig::lab(Environment::Testnet, [7; 32]) };
    drop(Log::open(other.clone(), config.clone(), &mut |_| {}).unwrap());
    other.tamper_reserve(|bytes| bytes.clone_from(&reserve));
    assert!(matches!(Log::open(other, config, &mut |_| {}), Err(JournalError::Reserve(_))));
}
