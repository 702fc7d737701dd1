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
            let mut aside = false;
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
                    let reserve_fails = dice() < 2;
                    disk.set_faults(Faults {
                        syncs_until_failure: Some(syncs),
                        reserve_fails,
                        ..Faults::default()
                    });
                    aside = log.flush().is_err() && !reserve_fails;
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
            let kept = found.len().min(appended.len());
            prop_assert!(found[..kept].iter().map(|(body, _)| body).eq(&appended[..kept]));
            prop_assert!(!aside || kept == appended.len(), "{kept} of {} entries put aside", appended.len());
            // A note of what was taken over, and nothing else, may come after it.
            prop_assert!(found.len() <= appended.len() + usize::from(aside));
            // What was found is durable from here on.
            acknowledged = found.len();
            appended = found.into_iter().map(|(body, _)| body).collect();
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
    assert!(matches!(log.close(), Err(JournalError::Closed(_))));
    assert_eq!(disk.syncs(), syncs, "a failed sync must not be tried again");
    let (_, found) = open(disk.after_crash(|| false)).unwrap();
    assert_eq!(found[3].0, b"lost", "the reserve has it");
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
    let bodies: Vec<_> = found.iter().map(|(body, _)| body.clone()).collect();
    assert_eq!(bodies[..4], [body(0), body(1), body(2), b"lost".to_vec()]);
}
