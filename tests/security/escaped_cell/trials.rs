//! The trials: every attempt at every stage it has an expectation for, malformed replies, and a live session.

use libtest_mimic::{Failed, Trial};
use portcullis_role::Sandbox;

use crate::attempts::{self, Attempt, Expected};
use crate::fixture::{Came, Fixture, in_the_lab};
use crate::world::Stage;
use crate::{documented, live};

pub fn all() -> Vec<Trial> {
    let mut trials = Vec::new();
    for attempt in attempts::all() {
        for stage in [Stage::Work, Stage::Loading, Stage::Handed, Stage::Lab] {
            if let Some(expected) = attempt.expected(stage) {
                trials.push(trial(attempt, stage, expected));
            }
        }
    }
    trials.extend(documented::trials());
    trials.extend(live::trials());
    trials
}

fn trial(attempt: &'static Attempt, stage: Stage, expected: Expected) -> Trial {
    let name = format!("{stage}::{}", attempt.name);
    // Without Landlock it is not there to refuse; the filters of system calls are on every kernel.
    let sandbox = Sandbox::probe();
    if stage == Stage::Handed && !sandbox.is_whole() {
        return unmet(name, &format!("this kernel has less than it takes: {sandbox}"));
    }
    Trial::test(name, move || {
        let came = match stage {
            Stage::Lab => in_the_lab(attempt.name),
            Stage::Work | Stage::Loading | Stage::Handed | Stage::Live => {
                Fixture::new(stage, attempt.name).attempt()
            }
        };
        judge(&came, expected)
    })
}

/// A trial that cannot be held here: ignored with its reason, and failed in CI (RULES Q3).
pub fn unmet(name: String, reason: &str) -> Trial {
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        let reason = reason.to_owned();
        return Trial::test(name, move || Err(reason.into()));
    }
    Trial::test(format!("{name} (ignored: {reason})"), || Ok(())).with_ignored_flag(true)
}

fn judge(came: &Came, expected: Expected) -> Result<(), Failed> {
    let as_expected = match (expected, came) {
        (Expected::Killed, Came::Killed(signal)) => *signal == libc::SIGSYS,
        (Expected::KilledBy(other), Came::Killed(signal)) => *signal == other || *signal == libc::SIGSYS,
        (Expected::Fails(errno), Came::Told(told)) => *told == attempts::failure(errno),
        (Expected::Finds(what), Came::Told(told)) => told == what,
        (Expected::Ends(code), Came::Ended(with)) => *with == code,
        (Expected::Breaks(why), Came::Broke(said)) => said.contains(why),
        (_, Came::Killed(_) | Came::Told(_) | Came::Ended(_) | Came::Broke(_)) => false,
    };
    if as_expected { Ok(()) } else { Err(format!("expected {expected:?}, came {came:?}").into()) }
}
