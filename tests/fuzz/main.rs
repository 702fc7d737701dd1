//! Every target meets some twenty thousand mutated inputs, the same ones every time. The long run is `tests/fuzz/run`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "test code"
)]

mod mutate;
mod targets;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mutate::Mutator;
use targets::{TARGETS, Target};

/// Inputs of each target.
const INPUTS: u32 = 20_000;

/// What became of the inputs.
#[derive(Debug, Default)]
struct Run {
    taken: u32,
    refused: u32,
}

/// Runs a target; the first input it breaks on is told, in hex, with what broke.
fn smoke(target: &Target, inputs: u32) -> Result<Run, String> {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    let mut run = Run::default();
    for seed in &seeds {
        if !attempt(target, seed)? {
            return Err(format!("{}: a seed is not taken: {}", target.name, hex(seed)));
        }
    }
    let name =
        target.name.bytes().fold(0x706f_7274_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte));
    let mut mutator = Mutator::new(name);
    for _ in 0..inputs {
        if attempt(target, &mutator.input(&seeds))? {
            run.taken += 1;
        } else {
            run.refused += 1;
        }
    }
    Ok(run)
}

fn attempt(target: &Target, input: &[u8]) -> Result<bool, String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("{}: {}\ninput: {}", target.name, words.unwrap_or_default(), hex(input))
    })
}

fn hex(input: &[u8]) -> String {
    input.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn check(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    match smoke(target, INPUTS) {
        Ok(run) => {
            println!("{name}: {INPUTS} inputs, {} taken, {} refused", run.taken, run.refused);
            // Otherwise the inputs stop at the door, or there is none.
            assert!(run.taken > INPUTS / 1_000, "{name}: hardly anything is taken: {run:?}");
            assert!(run.refused > INPUTS / 1_000, "{name}: hardly anything is refused: {run:?}");
        }
        Err(words) => panic!("{words}"),
    }
}

macro_rules! smokes {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_its_smoke() {
            let named = [$(stringify!($name)),*];
            let all: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(named.as_slice(), all);
        }
    };
}

smokes!(
    bundle,
    envelope,
    manifest,
    frame,
    packing,
    actions,
    cell_reply,
    cell_request,
    runner,
    signer_request,
    signer_reply,
    control,
    rest,
    public_stream,
    private_stream,
    fault_file,
    market_file,
    venue_faults,
);

#[test]
fn the_smoke_finds_what_is_wrong() {
    let broken = Target {
        name: "broken",
        seeds: || vec![br#"{"price":"60000.5"}"#.to_vec()],
        run: |input| {
            assert!(!input.windows(3).any(|three| three == b"\"-1"), "a negative price was taken");
            true
        },
    };
    let words = smoke(&broken, INPUTS).unwrap_err();
    assert!(words.starts_with("broken: a negative price was taken\ninput: 7b22"), "{words}");
    let deaf = Target { name: "deaf", seeds: || vec![b"seed".to_vec()], run: |_| false };
    assert!(smoke(&deaf, INPUTS).unwrap_err().contains("a seed is not taken"));
}
