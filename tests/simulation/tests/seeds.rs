//! Seeds in CI: nothing is violated, and every run can be repeated.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "test code")]

use simulation::{Case, command, run, run_many, shrink};

/// Seeds of a run in CI. A long run is a matter of the command line.
const SEEDS: u64 = 1_200;

#[test]
fn no_seed_violates_an_invariant() {
    let summary = run_many(0, SEEDS, None, |_| {});
    if let Some((seed, violation)) = summary.failed.first_key_value() {
        let (smallest, outcome) = shrink(&Case::of(*seed), 40).unwrap();
        let story = outcome.story.join("\n");
        panic!("{story}\n{}: {}\nreplay: {}", violation.rule, violation.detail, command(&smallest));
    }
    assert_eq!(summary.seeds, SEEDS);
    // A simulation in which nothing happens proves nothing.
    assert!(summary.orders > 20 * SEEDS, "only {} orders", summary.orders);
    assert_eq!(summary.faults_by_kind.len(), simulation::Fault::ALL.len(), "{:?}", summary.faults_by_kind);
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in 0..20 {
        let (first, second) = (run(&Case::of(seed), 0), run(&Case::of(seed), 40));
        assert_eq!((first.trace, first.steps), (second.trace, second.steps), "seed {seed}");
    }
    assert_ne!(run(&Case::of(1), 0).trace, run(&Case::of(2), 0).trace);
}
