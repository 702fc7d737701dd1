//! Kills the journal's writer at random moments: whatever it acknowledged must be there afterwards, and the chain must hold.
//!
//! A child process appends from several threads and tells, through a pipe, each entry it may call durable. The parent kills it
//! with SIGKILL, opens what is left, and compares; then the next round goes on in the same directory.
//!
//! `cargo test -p portcullis-journal --test crash -- --rounds=200` kills more often.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libtest_mimic::{Arguments, Trial};
use portcullis_core::{Environment, Finding, FindingKind, Record, Timestamp};
use portcullis_journal::{FileStorage, Journal, Log, LogConfig, Wait, Writer, verify};

/// Segments so small that most rounds cross their borders.
const SEGMENT_BYTES: u64 = 64 * 1024;
const THREADS: usize = 3;
/// Rounds without an argument: enough for CI, about a second.
const ROUNDS: u64 = 12;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, directory] = arguments.as_slice()
        && mode == "--child"
    {
        append_until_killed(Path::new(directory));
    }
    let mut rounds = ROUNDS;
    arguments.retain(|argument| match argument.strip_prefix("--rounds=") {
        Some(number) => {
            rounds = number.parse().expect("--rounds=N");
            false
        }
        None => true,
    });
    let trial = Trial::test("acknowledged_entries_survive_sigkill", move || {
        survive(rounds);
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_iter(arguments), vec![trial]).exit_code()
}

fn config() -> LogConfig {
    LogConfig { segment_bytes: SEGMENT_BYTES, ..LogConfig::live(Environment::Paper, [1; 16]) }
}

/// The child: appends for ever, and prints the sequence and leaf of each entry once it is durable.
fn append_until_killed(directory: &Path) -> ! {
    let log = Log::open(FileStorage::open(directory).unwrap(), config(), &mut |_| {}).unwrap();
    let writer = Writer::new(log).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let mut writer = writer.clone();
            scope.spawn(move || {
                for number in 0_usize.. {
                    let records: Vec<_> =
                        (0..1 + number % 5).map(|part| finding(thread * 100 + number * 7 + part)).collect();
                    let wait = if number % 4 == 0 { Wait::BOUNDED } else { Wait::Durable };
                    let committed = writer.commit(Timestamp(1), &records, Vec::new(), wait).unwrap();
                    if committed.durable {
                        let lines: String = committed
                            .receipts
                            .iter()
                            .flatten()
                            .map(|receipt| format!("{} {}\n", receipt.sequence.0, receipt.leaf))
                            .collect();
                        // One write: lines of several threads must not mix.
                        std::io::stdout().lock().write_all(lines.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    unreachable!("the child is killed")
}

fn finding(number: usize) -> Record {
    Record::Finding(Finding {
        kind: FindingKind::LateFill,
        order: None,
        instrument: None,
        detail: "x".repeat(number % 400),
        at: Timestamp(1),
    })
}

fn survive(rounds: u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut random = seed();
    println!("seed {random}");
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--child")
            .arg(directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // At least one entry of each round, so that none passes without having written.
        let mut told = lines.next().unwrap().unwrap();
        let killer = std::thread::spawn({
            let pause = Duration::from_micros(next(&mut random) % 60_000);
            move || {
                std::thread::sleep(pause);
                child.kill().unwrap();
                child.wait().unwrap();
            }
        });
        loop {
            // The last line may be cut in the middle; a whole one has its leaf.
            if let Some((sequence, leaf)) = told.split_once(' ').filter(|(_, leaf)| leaf.len() == 64) {
                acknowledged.insert(sequence.parse().unwrap(), leaf.to_owned());
            }
            match lines.next() {
                Some(line) => told = line.unwrap(),
                None => break,
            }
        }
        killer.join().unwrap();

        let report = verify(directory.path()).unwrap();
        assert!(report.ok, "round {round}: {report:?}");
        let mut found = BTreeMap::new();
        let log = Log::open(FileStorage::open(directory.path()).unwrap(), config(), &mut |stored| {
            found.insert(stored.entry.sequence.0, stored.leaf.to_string());
        });
        drop(log.unwrap());
        for (sequence, leaf) in &acknowledged {
            assert_eq!(found.get(sequence), Some(leaf), "round {round}: acknowledged entry {sequence}");
        }
    }
    println!("{} acknowledged entries in {rounds} rounds", acknowledged.len());
}

/// Different in every run; printed, so that a failing one can be told apart.
fn seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into()
}

fn next(random: &mut u64) -> u64 {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *random >> 33
}
