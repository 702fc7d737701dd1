//! `cargo run --release -p simulation -- --seeds N`: many seeds, and one JSON object at the end.

#![forbid(unsafe_code)]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use simulation::{Case, Fault, FaultSet, Summary, command, run, run_many, shrink};

/// Seeded simulation of gate, journal and venue with faults, against the invariants.
#[derive(Debug, Parser)]
#[command(name = "simulation")]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Run this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// End it after this many events.
    #[arg(long, requires = "seed")]
    steps: Option<u64>,
    /// Classes of fault that do not strike, for example `crash,lost`.
    #[arg(long, requires = "seed", value_delimiter = ',', value_parser = class)]
    without: Vec<Fault>,
    /// Tell the last events of the seed in words.
    #[arg(long, requires = "seed")]
    story: bool,
    /// Lines of a story.
    #[arg(long, default_value_t = 40)]
    lines: usize,
    /// Failing seeds that are shrunk and told.
    #[arg(long, default_value_t = 3)]
    stories: usize,
}

fn class(name: &str) -> Result<Fault, String> {
    Fault::named(name).ok_or_else(|| {
        let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let summary = match arguments.seed {
        Some(seed) => one(seed, &arguments),
        None => many(&arguments),
    };
    let clean = summary.violations == 0;
    let json = serde_json::to_string(&summary).unwrap_or_default();
    let _ = writeln!(std::io::stdout(), "{json}");
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn many(arguments: &Arguments) -> Summary {
    let bar = ProgressBar::new(arguments.seeds);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{pos}/{len} seeds {bar:30} {per_sec} {eta}") {
        bar.set_style(style);
    }
    let summary = run_many(arguments.first, arguments.seeds, None, |done| bar.set_position(done));
    bar.finish_and_clear();
    for (seed, violation) in &summary.failed {
        say(&format!("seed {seed}: {}: {}", violation.rule, violation.detail));
    }
    for seed in summary.failed.keys().take(arguments.stories) {
        tell(&Case::of(*seed), arguments.lines);
    }
    summary
}

fn one(seed: u64, arguments: &Arguments) -> Summary {
    let whole = Case::of(seed);
    let without = arguments.without.iter().fold(FaultSet::default(), |set, fault| set.with(*fault));
    let case = Case { steps: arguments.steps.unwrap_or(whole.steps), without, ..whole };
    let outcome = run(&case, if arguments.story { arguments.lines } else { 0 });
    for line in &outcome.story {
        say(line);
    }
    say(&format!("trace {:016x} after {} events", outcome.trace, outcome.steps));
    match &outcome.violation {
        Some(violation) if arguments.story => {
            say(&format!("VIOLATED {}: {}", violation.rule, violation.detail))
        }
        Some(_) => tell(&case, arguments.lines),
        None => {}
    }
    Summary::of(seed, outcome)
}

/// Shrinks a failing case and tells what is left.
fn tell(case: &Case, lines: usize) {
    let Some((smallest, outcome)) = shrink(case, lines) else { return };
    say(&format!("--- seed {} ---", case.seed));
    for line in &outcome.story {
        say(line);
    }
    if let Some(violation) = &outcome.violation {
        say(&format!("VIOLATED {}: {}", violation.rule, violation.detail));
    }
    say(&format!("replay: {}", command(&smallest)));
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
