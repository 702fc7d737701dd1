//! Ten thousand damaged copies of a good component. Each is refused at admission, does not compile, or lives within its limits; a
//! worker process that dies over one fails the trial, which then names it.

use std::io::BufRead;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use portcullis_bundle::{Tier, admit};
use portcullis_cell::{CellEngine, CellLimits, Program, compile};

use crate::common::{LIMITS, live};
use crate::expect::{assert_fault, assert_refusal, good};

/// The name under which this binary is a worker.
pub(crate) const WORKER: &str = "hostile-mutations";

const MUTATIONS: u64 = 10_000;
const WORKERS: u64 = 4;

/// Little fuel: a good guest needs some hundred units, and a damaged one shall not spin for long.
const TIGHT: CellLimits = CellLimits { fuel_per_event: 10_000, ..LIMITS };

pub(crate) fn trials() -> Vec<Trial> {
    (0..WORKERS)
        .map(|worker| Trial::test(format!("mutations::part_{worker}"), move || supervise(worker)))
        .collect()
}

fn supervise(worker: u64) -> Result<(), Failed> {
    let asked = std::env::var("HOSTILE_MUTATIONS").ok().and_then(|text| text.parse().ok());
    let each = asked.unwrap_or(MUTATIONS).div_ceil(WORKERS);
    let mut child = Command::new("/proc/self/exe")
        .arg0(WORKER)
        .args([worker * each, (worker + 1) * each].map(|number| number.to_string()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut last = String::new();
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
        last = line.unwrap();
    }
    let status = child.wait().unwrap();
    if status.success() {
        println!("{last}");
        Ok(())
    } else {
        Err(format!("the worker ended with {status} at {last}").into())
    }
}

/// What became of the copies.
#[derive(Debug, Default)]
struct Tally {
    refused: u32,
    uncompiled: u32,
    unloaded: u32,
    faulted: u32,
    lived: u32,
}

/// Goes through the copies from the first argument up to the second.
pub(crate) fn work(mut arguments: std::env::ArgsOs) -> ExitCode {
    let mut number = || arguments.next().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    let (from, to) = (number(), number());
    let engine = Arc::new(CellEngine::new().unwrap());
    let whole = good();
    let mut tally = Tally::default();
    for seed in from..to {
        let copy = damaged(&whole, seed);
        match admit(&copy, Tier::Native, TIGHT.memory_bytes_max) {
            Err(refusal) => {
                assert_refusal(&refusal);
                tally.refused += 1;
            }
            Ok(_) => {
                // The parent reads the last line of a worker that died.
                println!("mutation {seed}");
                run(&engine, &copy, &mut tally);
            }
        }
    }
    println!("{tally:?}");
    ExitCode::SUCCESS
}

fn run(engine: &Arc<CellEngine>, component: &[u8], tally: &mut Tally) {
    let Ok(artifact) = compile(component) else {
        tally.uncompiled += 1;
        return;
    };
    let Ok(program) = Program::load(engine, &artifact) else {
        tally.unloaded += 1;
        return;
    };
    match live(program, TIGHT, 2) {
        Ok(life) => {
            assert!(life.memory_bytes as u64 <= TIGHT.memory_bytes_max);
            tally.lived += 1;
        }
        Err((entry, fault)) => {
            assert_fault(&fault, entry, &TIGHT, 2);
            tally.faulted += 1;
        }
    }
}

/// A copy with a few changes that only the seed decides: one bit flipped, or
/// up to three bits and bytes flipped, set, taken out, put in and swapped.
fn damaged(whole: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut copy = whole.to_vec();
    if seed.is_multiple_of(2) {
        // One bit, so that more of them get as far as the compiler and the cell.
        let at = random.below(copy.len());
        copy[at] ^= 1 << random.below(8);
        return copy;
    }
    for _ in 0..=random.below(3) {
        let at = random.below(copy.len());
        let value = random.below(256) as u8;
        match random.below(8) {
            0..=3 => copy[at] ^= 1 << (value % 8),
            4 => copy[at] = value,
            5 => drop(copy.remove(at)),
            6 => copy.insert(at, value),
            _ => {
                let other = random.below(copy.len());
                copy.swap(at, other);
            }
        }
    }
    copy
}

/// SplitMix64: the same copies on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
