//! The watch sees what is wrong: each error put into the world on purpose is caught, by the invariant it breaks.

#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use simulation::{Case, Sabotage, command, run, run_many, shrink};

/// Enough for the rarest of them.
const SEEDS: u64 = 300;

/// Runs seeds with an error put in, and returns how many were caught and by which invariants.
fn caught(sabotage: Sabotage) -> (usize, Vec<&'static str>) {
    let summary = run_many(0, SEEDS, Some(sabotage), |_| {});
    let mut rules: Vec<&'static str> = summary.failed.values().map(|violation| violation.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    (summary.failed.len(), rules)
}

#[track_caller]
fn assert_caught(sabotage: Sabotage, rule: &str) {
    let (count, rules) = caught(sabotage);
    assert!(rules.contains(&rule), "{sabotage:?} was caught in {count} of {SEEDS} seeds, by {rules:?}");
}

#[test]
fn a_create_that_is_sent_twice() {
    assert_caught(Sabotage::SendTwice, "id-twice");
}

#[test]
fn a_command_that_leaves_before_its_entry_is_on_the_disk() {
    assert_caught(Sabotage::LyingSync, "durable-first");
}

#[test]
fn a_crash_that_takes_synced_entries() {
    assert_caught(Sabotage::ForgetTail, "false-end");
}

#[test]
fn executions_that_are_ignored() {
    assert_caught(Sabotage::HideFills, "executions");
}

#[test]
fn orders_larger_than_their_bound() {
    assert_caught(Sabotage::TenTimes, "worst-case");
}

#[test]
fn orders_on_stale_prices() {
    assert_caught(Sabotage::FreshForEver, "stale");
}

#[test]
fn an_order_given_up_that_the_venue_has() {
    assert_caught(Sabotage::LyingQuery, "false-end");
}

#[test]
fn a_failing_seed_shrinks_to_a_story_that_can_be_replayed() {
    let case = Case { sabotage: Some(Sabotage::TenTimes), ..Case::of(0) };
    let failing =
        (0..60).map(|seed| Case { seed, ..case }).find(|case| run(case, 0).violation.is_some()).unwrap();
    let whole = run(&failing, 0);
    let (smallest, outcome) = shrink(&failing, 40).unwrap();
    assert_eq!(outcome.violation.as_ref().unwrap().rule, whole.violation.unwrap().rule);
    assert!(!outcome.story.is_empty() && outcome.story.len() <= 40);
    assert!(command(&smallest).contains(&format!("--seed {} --steps {}", smallest.seed, smallest.steps)));
    // Fewer faults, and the same run whenever it is replayed.
    assert!(smallest.without.iter().count() > 0);
    let replayed = run(&smallest, 0);
    assert_eq!((replayed.trace, replayed.violation), (outcome.trace, outcome.violation));
    // Without its last event nothing is wrong yet.
    let shorter = Case { steps: smallest.steps - 1, ..smallest };
    assert_eq!(run(&shorter, 0).violation, None);
}
