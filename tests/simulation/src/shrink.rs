//! From a seed that fails to the smallest story that still does.

use crate::faults::FaultSet;
use crate::run::{Case, Outcome, run};

/// Switches classes of fault off as long as the same invariant still fails, and cuts the run after the violation. The result is
/// told in words, its last `kept` lines.
pub fn shrink(case: &Case, kept: usize) -> Option<(Case, Outcome)> {
    let first = run(case, 0);
    let rule = first.violation.as_ref()?.rule;
    let fails =
        |outcome: &Outcome| outcome.violation.as_ref().is_some_and(|violation| violation.rule == rule);
    let (mut best, mut steps) = (*case, first.steps);
    loop {
        let smaller = first.classes.iter().filter(|class| !best.without.has(*class)).find_map(|class| {
            let without: FaultSet = best.without.with(class);
            let outcome = run(&Case { without, ..best }, 0);
            fails(&outcome).then_some((without, outcome.steps))
        });
        let Some((without, after)) = smaller else { break };
        best.without = without;
        steps = after;
    }
    best.steps = steps;
    let outcome = run(&best, kept);
    Some((best, outcome))
}

/// The command that replays a case.
pub fn command(case: &Case) -> String {
    let mut text =
        format!("cargo run --release -p simulation -- --seed {} --steps {}", case.seed, case.steps);
    let without: Vec<&str> = case.without.iter().map(|fault| fault.name()).collect();
    if !without.is_empty() {
        text.push_str(&format!(" --without {}", without.join(",")));
    }
    text.push_str(" --story");
    text
}
