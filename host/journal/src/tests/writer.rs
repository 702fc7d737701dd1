//! The writer: who waits, for how long, and what that costs the disk.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use portcullis_core::Timestamp;

use super::{body, draft, open};
use crate::spool::Kept;
use crate::{Faults, JournalError, MemStorage, Storage, Wait, Writer, verify_storage};

const STALLED: Faults = Faults {
    syncs_until_failure: None,
    disk_full: false,
    sync_stalls: true,
    reserve_fails: false,
    reserve_stalls: true,
};

fn writer(disk: &MemStorage) -> Writer<MemStorage> {
    Writer::new(open(disk.clone()).unwrap().0).unwrap()
}

fn write<S: Storage>(writer: &Writer<S>, number: u64, wait: Option<Wait>) -> Result<bool, JournalError> {
    let body = body(number);
    writer.write(Timestamp(number), &[draft(&body)], wait).map(|written| written.kept == Kept::Journal)
}

#[test]
fn threads_share_syncs_and_the_chain_holds() {
    const THREADS: u64 = 4;
    const EACH: u64 = 200;
    let disk = MemStorage::new();
    let writer = writer(&disk);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let writer = writer.clone();
            scope.spawn(move || {
                for number in 0..EACH {
                    let wait = if number % 7 == 0 { Wait::BOUNDED } else { Wait::Durable };
                    assert!(write(&writer, thread * EACH + number, Some(wait)).unwrap());
                }
            });
        }
    });
    writer.close().unwrap();
    let report = verify_storage(&disk).unwrap();
    assert_eq!((report.ok, report.records), (true, THREADS * EACH));
}

#[test]
fn what_waits_during_a_sync_is_written_at_once_afterwards() {
    let disk = MemStorage::new();
    let writer = writer(&disk);
    disk.set_faults(STALLED);
    let begun = disk.syncs();
    assert!(!write(&writer, 0, Some(Wait::AtMost(Duration::ZERO))).unwrap());
    // The helper is in the stalled sync, or about to be; these five wait behind it.
    let ready = Barrier::new(6);
    std::thread::scope(|scope| {
        for number in 1..=5 {
            let (writer, ready) = (writer.clone(), &ready);
            scope.spawn(move || {
                assert!(!write(&writer, number, None).unwrap());
                ready.wait();
                writer.flush().unwrap();
            });
        }
        ready.wait();
        disk.set_faults(Faults::default());
    });
    assert_eq!(writer.durable().0, 6);
    assert!(disk.syncs() - begun <= 2, "{} syncs for one stalled and one shared batch", disk.syncs() - begun);
}

#[test]
fn a_bounded_wait_ends_though_the_disk_stalls() {
    let disk = MemStorage::new();
    let writer = writer(&disk);
    disk.set_faults(STALLED);
    let begun = Instant::now();
    assert!(!write(&writer, 0, Some(Wait::AtMost(Duration::from_millis(20)))).unwrap());
    assert!(begun.elapsed() >= Duration::from_millis(20));
    // And again, while the first sync is still under way.
    assert!(!write(&writer, 1, Some(Wait::AtMost(Duration::from_millis(1)))).unwrap());
    assert!(writer.lag() >= Duration::from_millis(20));
    disk.set_faults(Faults::default());
    writer.flush().unwrap();
    assert_eq!((writer.durable().0, writer.lag()), (2, Duration::ZERO));
}

#[test]
fn a_failed_sync_closes_the_journal_for_every_handle() {
    let disk = MemStorage::new();
    let writer = writer(&disk);
    write(&writer, 0, Some(Wait::Durable)).unwrap();
    disk.set_faults(Faults { syncs_until_failure: Some(0), ..Faults::default() });
    assert!(!write(&writer, 1, Some(Wait::BOUNDED)).unwrap());
    disk.set_faults(Faults::default());
    let other = writer.clone();
    assert!(!write(&other, 2, Some(Wait::Durable)).unwrap(), "a failed sync must not be tried again");
    assert!(matches!(other.flush(), Err(JournalError::Closed(_))));
    assert!(other.failure().unwrap().contains("injected"));
    assert!(matches!(writer.close(), Err(JournalError::Closed(_))));
    let found = open(disk.after_crash(|| false)).unwrap().1;
    // The two that the journal did not get were put aside, and the note that says so comes after them.
    assert_eq!((found.len(), &found[1].0, &found[2].0), (4, &body(1), &body(2)));
}

#[test]
fn a_closed_journal_takes_nothing_more() {
    let disk = MemStorage::new();
    let writer = writer(&disk);
    let other = writer.clone();
    write(&writer, 0, None).unwrap();
    writer.close().unwrap();
    assert!(matches!(write(&other, 1, None), Err(JournalError::Closed(_))));
    assert_eq!(verify_storage(&disk).unwrap().records, 1);
}

#[test]
fn a_disk_that_never_answers_counts_as_failed_before_memory_is_full() {
    let disk = MemStorage::new();
    let log = crate::Log::open(
        disk.clone(),
        crate::LogConfig { segment_bytes: 1 << 20, ..super::config() },
        &mut |_| {},
    );
    let writer = Writer::new(log.unwrap()).unwrap();
    disk.set_faults(STALLED);
    let big = vec![1; crate::BODY_BYTES_MAX];
    let mut taken = 0;
    while writer.write(Timestamp(0), &[draft(&big)], None).unwrap().receipts[0].is_some() {
        taken += 1;
        assert!(taken < 1000, "memory must have a bound");
    }
    assert!(writer.failure().unwrap().contains("does not answer"));
    disk.set_faults(Faults::default());
    assert!(matches!(writer.flush(), Err(JournalError::Closed(_))), "it stays closed");
}
