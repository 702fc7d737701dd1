//! After any crash the journal opens and holds a prefix with everything acknowledged.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{append, body, filled, open};
use crate::{Faults, JournalError, MemStorage, verify_storage};

#[derive(Debug, Clone)]
enum Step {
    /// Appends that many entries without waiting.
    Append(u8),
    Flush,
    /// Power cut: each un-synced piece survives with this chance in eight. Then the journal is opened again.
    Crash(u8),
    /// Clean shutdown, then opened again.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_u8..12).prop_map(Step::Append),
        3 => Just(Step::Flush),
        2 => (0_u8..=8).prop_map(Step::Crash),
        1 => Just(Step::Restart),
    ];
    vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_crash_leaves_a_prefix_with_everything_acknowledged(steps in steps(), seed in any::<u64>()) {
        let mut random = seed | 1;
        let mut dice = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random >> 61
        };
        let mut disk = MemStorage::new();
        let (mut log, _) = open(disk.clone()).unwrap();
        let mut appended: Vec<Vec<u8>> = Vec::new();
        let mut acknowledged = 0;
        for step in steps.into_iter().chain([Step::Crash(4)]) {
            match step {
                Step::Append(count) => {
                    for _ in 0..count {
                        let body = body(dice() * 8 + dice());
                        append(&mut log, &body).unwrap();
                        appended.push(body);
                    }
                    continue;
                }
                Step::Flush => {
                    log.flush().unwrap();
                    acknowledged = appended.len();
                    continue;
                }
                Step::Crash(chance) => {
                    // A write that no sync followed: the worst a crash can catch. Where segments end within the batch,
                    // the first of them may have made it.
                    let syncs = u32::try_from(dice() / 3).unwrap();
                    disk.set_faults(Faults { syncs_until_failure: Some(syncs), ..Faults::default() });
                    let _ = log.flush();
                    drop(log);
                    disk = disk.after_crash(|| dice() < u64::from(chance));
                    prop_assert!(verify_storage(&disk).unwrap().ok);
                }
                Step::Restart => {
                    log.close().unwrap();
                    acknowledged = appended.len();
                }
            }
            let (reopened, found) = open(disk.clone()).unwrap();
            log = reopened;
            prop_assert!(found.len() >= acknowledged, "{} of {acknowledged} acknowledged entries", found.len());
            appended.truncate(found.len());
            prop_assert!(found.iter().map(|(body, _)| body).eq(&appended));
            // What was found is durable from here on.
            acknowledged = found.len();
        }
    }
}

#[test]
fn a_failed_sync_closes_the_journal_for_good() {
    let (disk, mut log) = filled(3);
    append(&mut log, b"lost").unwrap();
    disk.set_faults(Faults { syncs_until_failure: Some(0), ..Faults::default() });
    assert!(matches!(log.flush(), Err(JournalError::Storage { .. })));
    disk.set_faults(Faults::default());
    let syncs = disk.syncs();
    assert!(matches!(log.flush(), Err(JournalError::Closed(_))));
    assert!(matches!(append(&mut log, b"more"), Err(JournalError::Closed(_))));
    assert!(matches!(log.close(), Err(JournalError::Closed(_))));
    assert_eq!(disk.syncs(), syncs, "a failed sync must not be tried again");
}

#[test]
fn a_full_disk_closes_the_journal_and_loses_nothing() {
    let (disk, mut log) = filled(3);
    disk.set_faults(Faults { disk_full: true, ..Faults::default() });
    append(&mut log, b"lost").unwrap();
    assert!(matches!(log.flush(), Err(JournalError::Storage { .. })));
    drop(log);
    disk.set_faults(Faults::default());
    let (_, found) = open(disk).unwrap();
    assert_eq!(found.len(), 3);
}
