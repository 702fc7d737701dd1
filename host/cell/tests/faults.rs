//! Faults as files, and faults brought about again from them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod common;

use common::{CANCEL_EVERY_OTHER, IDLE, LIMITS, Source, frame, program, setup};
use portcullis_cell::{
    BACKTRACE_FRAMES_MAX, CellLimits, FAULT_DETAIL_BYTES_MAX, FAULT_FILE_BYTES_MAX, FaultFile,
    FaultFileError, FaultedCall, Guest, MemoryUse, PastFrame, Snapshot, outcome_digest, replay,
};
use portcullis_core::{Digest, FaultCode, Timestamp};
use proptest::prelude::{ProptestConfig, any, prop, proptest};

/// What the gateway would have kept of a guest that was handed `frames` frames of two events and failed in the next, of `last`.
fn evidence(source: &Source, limits: CellLimits, frames: usize, last: u32) -> FaultFile {
    let mut guest = Guest::start(program(source), limits).unwrap();
    guest.init(&setup()).unwrap().unwrap();
    let past = (0..frames).map(|_| {
        let answer = guest.on_frame(&frame(2)).unwrap();
        PastFrame { frame: frame(2), outcome: outcome_digest(&answer.outcome) }
    });
    let past = past.collect();
    let fault = guest.on_frame(&frame(last)).unwrap_err();
    FaultFile {
        code: fault.kind.code(),
        detail: fault.detail,
        backtrace: fault.backtrace,
        fuel_charged: fault.fuel_charged,
        memory: fault.memory,
        frames: past,
        call: FaultedCall::Frame { frame: frame(last), timers: Vec::new() },
        ..plain(limits)
    }
}

/// A file without a fault.
fn plain(limits: CellLimits) -> FaultFile {
    FaultFile {
        strategy: "ema".parse().unwrap(),
        at: Timestamp(7),
        software: "0.1.0".to_owned(),
        bundle: Digest([1; 32]),
        component: Digest([2; 32]),
        engine: Digest([3; 32]),
        limits,
        setup: setup(),
        code: FaultCode::Trap,
        detail: String::new(),
        backtrace: Vec::new(),
        fuel_charged: 0,
        memory: MemoryUse::default(),
        snapshot: None,
        frames: Vec::new(),
        frames_left_out: 0,
        call: FaultedCall::None,
    }
}

/// Counts events, and fails in the frame that brings it to five.
const FAILS_AT_FIVE: &str = "
    (global.set $events (i32.add (global.get $events) (local.get $records)))
    (if (i32.ge_u (global.get $events) (i32.const 5)) (then (call $too_far)))
    (call $outcome (local.get $records) (i32.const 0))";

fn fails_at_five() -> Source {
    Source { on_frame: FAILS_AT_FIVE, extra: "(func $too_far unreachable)", ..Source::default() }
}

/// The differences that a replay finds, of the file as it is read back.
fn differences(file: &mut FaultFile, source: &Source) -> Vec<String> {
    let read = FaultFile::decode(&file.encode().unwrap()).unwrap();
    assert_eq!(read, *file, "what is written is read");
    replay(&read, program(source)).differences(&read)
}

const NONE: [String; 0] = [];

#[test]
fn a_trap_is_brought_about_again_by_the_frames_before_it() {
    let mut file = evidence(&fails_at_five(), LIMITS, 2, 3);
    assert_eq!(file.code, FaultCode::Trap);
    assert!(file.backtrace[0].contains("too_far"), "{:?}", file.backtrace);
    assert_eq!(differences(&mut file, &fails_at_five()), NONE);
}

#[test]
fn the_state_in_a_snapshot_stands_for_the_frames_before_it() {
    let source = fails_at_five();
    let mut file = evidence(&source, LIMITS, 2, 1);
    file.frames.clear();
    assert_eq!(differences(&mut file, &source), ["nothing failed"], "four events are missing");
    file.snapshot = Some(Snapshot { version: 7, bytes: vec![4, 0, 0, 0] });
    assert_eq!(differences(&mut file, &source), NONE);
}

#[test]
fn fuel_memory_and_broken_answers_come_again_too() {
    let spins = Source { on_frame: "(loop $on (br $on)) unreachable", ..Source::default() };
    let grows = Source {
        on_frame: "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable",
        ..Source::default()
    };
    let claims = Source { on_frame: "(call $outcome (i32.const 9) (i32.const 0))", ..Source::default() };
    let cases =
        [(spins, FaultCode::OutOfFuel), (grows, FaultCode::OutOfMemory), (claims, FaultCode::Protocol)];
    for (source, code) in cases {
        let mut file = evidence(&source, LIMITS, 0, 2);
        assert_eq!(file.code, code);
        assert_eq!(differences(&mut file, &source), NONE, "{code}");
        assert_eq!(file.memory.asked_bytes.is_some(), code == FaultCode::OutOfMemory);
    }
}

#[test]
fn an_answer_against_the_stop_rule_is_judged_as_the_gateway_did() {
    // It leaves the second event although nothing bids it stop.
    let source = Source { on_frame: "(call $outcome (i32.const 1) (i32.const 0))", ..Source::default() };
    let mut file = FaultFile {
        code: FaultCode::Protocol,
        detail: "stopped after 1 of 2 records without a reason".to_owned(),
        call: FaultedCall::Frame { frame: frame(2), timers: Vec::new() },
        ..plain(LIMITS)
    };
    let replayed = replay(&file, program(&source));
    file.detail = replayed.fault.as_ref().unwrap().detail.clone();
    assert_eq!(replayed.fault.as_ref().unwrap().code, FaultCode::Protocol);
    assert_eq!(differences(&mut file, &source), NONE);
    // With a timer at the second event's time it had to stop there.
    file.call = FaultedCall::Frame { frame: frame(2), timers: vec![(1, Timestamp(1))] };
    let bound = replay(&file, program(&source));
    assert_eq!(bound.fault.is_some(), replayed.fault.is_some(), "a timer alone bids nobody stop: {bound:?}");
}

#[test]
fn a_fault_on_the_way_back_and_in_a_snapshot_comes_again() {
    // `err(bad-parameter("test-guest"))`, as in the tests of guests.
    let refuses = Source {
        init: "(i32.store8 (i32.const 660) (i32.const 1))
            (i32.store (i32.const 668) (i32.const 480)) (i32.store (i32.const 672) (i32.const 10)) (i32.const 660)",
        ..Source::default()
    };
    let mut file = FaultFile {
        code: FaultCode::Init,
        detail: "bad parameter: test-guest".to_owned(),
        call: FaultedCall::Revival,
        ..plain(LIMITS)
    };
    assert_eq!(differences(&mut file, &refuses), NONE);

    let snapshot = Some(Snapshot { version: 8, bytes: vec![0; 4] });
    let detail = "the strategy cannot read snapshots of that version".to_owned();
    let mut file = FaultFile { code: FaultCode::Restore, detail, snapshot, ..file };
    assert_eq!(differences(&mut file, &Source::default()), NONE);

    let cannot = Source { snapshot: "unreachable", ..Source::default() };
    let mut guest = Guest::start(program(&cannot), LIMITS).unwrap();
    guest.init(&setup()).unwrap().unwrap();
    let fault = guest.snapshot().unwrap_err();
    let mut file = FaultFile {
        detail: fault.detail,
        backtrace: fault.backtrace,
        fuel_charged: fault.fuel_charged,
        call: FaultedCall::Snapshot,
        ..plain(LIMITS)
    };
    assert_eq!(differences(&mut file, &cannot), NONE);
}

#[test]
fn a_replay_says_in_what_it_differs() {
    let source = fails_at_five();
    let file = evidence(&source, LIMITS, 2, 1);
    let against = |file: &FaultFile| differences(&mut file.clone(), &source).join("; ");

    let other = FaultFile { backtrace: vec!["elsewhere".to_owned()], ..file.clone() };
    assert!(against(&other).contains("other functions"));
    let other = FaultFile { code: FaultCode::OutOfFuel, ..file.clone() };
    assert!(against(&other).contains("TRAP instead of OUT_OF_FUEL"));
    let other = FaultFile { fuel_charged: 1, ..file.clone() };
    assert!(against(&other).contains("instead of 1"));
    let mut other = file.clone();
    other.frames.push(PastFrame { frame: frame(1), outcome: Digest([0; 32]) });
    assert!(against(&other).contains("in frame 2, before the call"));
    let mut other = file.clone();
    other.frames[1].outcome = Digest([0; 32]);
    assert!(against(&other).contains("frame 1 of 2 was answered in another way"));
    // Another component altogether.
    assert_eq!(
        differences(&mut file.clone(), &Source { on_frame: IDLE, ..Source::default() }),
        ["nothing failed"]
    );
    let acts = Source { on_frame: CANCEL_EVERY_OTHER, ..Source::default() };
    assert!(differences(&mut file.clone(), &acts)[0].contains("frame 0 of 2"));
}

#[test]
fn only_whole_files_are_read() {
    let mut file = evidence(&fails_at_five(), LIMITS, 2, 1);
    let bytes = file.encode().unwrap();
    for length in 0..bytes.len() {
        assert!(FaultFile::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
    for index in 0..bytes.len() {
        let mut other = bytes.clone();
        other[index] ^= 1;
        assert!(FaultFile::decode(&other).is_err(), "byte {index}");
    }
    assert_eq!(FaultFile::decode(&[bytes.clone(), vec![0]].concat()), Err(FaultFileError::Damaged));
    let mut newer = bytes;
    newer[8] = 2;
    assert_eq!(FaultFile::decode(&newer), Err(FaultFileError::Version(2)));
    assert_eq!(FaultFile::decode(b"a text"), Err(FaultFileError::NotAFaultFile));
    let large = vec![0; usize::try_from(FAULT_FILE_BYTES_MAX).unwrap() + 1];
    assert!(matches!(FaultFile::decode(&large), Err(FaultFileError::TooLarge(_))));
}

#[test]
fn texts_that_a_host_does_not_write_are_refused() {
    let refused = |file: FaultFile| {
        let mut file = file;
        let bytes = file.encode().unwrap();
        assert!(matches!(FaultFile::decode(&bytes), Err(FaultFileError::Malformed(_))), "{file:?}");
    };
    let good = plain(LIMITS);
    refused(FaultFile { detail: "\u{1b}[2J".to_owned(), ..good.clone() });
    refused(FaultFile { detail: "x".repeat(FAULT_DETAIL_BYTES_MAX + 1), ..good.clone() });
    refused(FaultFile { software: "a\nb".to_owned(), ..good.clone() });
    refused(FaultFile { backtrace: vec!["a\rb".to_owned()], ..good.clone() });
    refused(FaultFile { backtrace: vec![String::new(); BACKTRACE_FRAMES_MAX + 1], ..good.clone() });
    refused(FaultFile {
        snapshot: Some(Snapshot { version: 1, bytes: vec![0; 256 * 1024 + 1] }),
        ..good.clone()
    });
    refused(FaultFile { limits: CellLimits { memory_bytes_max: 1, ..LIMITS }, ..good.clone() });
    let mut many = good.clone();
    many.setup.parameters = vec![(String::new(), String::new()); 65];
    refused(many);
    let timers = (0..65).map(|id| (id, Timestamp(0))).collect();
    refused(FaultFile { call: FaultedCall::Frame { frame: frame(1), timers }, ..good });
}

#[test]
fn what_there_is_no_room_for_is_left_out_and_said() {
    let past = |number: u8| PastFrame { frame: vec![number; 1 << 20], outcome: Digest::default() };
    let mut file = FaultFile { frames: (0..25).map(past).collect(), ..plain(LIMITS) };
    let bytes = file.encode().unwrap();
    assert!(u64::try_from(bytes.len()).unwrap() <= FAULT_FILE_BYTES_MAX);
    let read = FaultFile::decode(&bytes).unwrap();
    assert_eq!((read.frames.len(), read.frames_left_out), (20, 5));
    assert_eq!(read.frames[0].frame[0], 5, "the oldest go");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever the bytes are, reading them ends, and what comes out is in its bounds.
    #[test]
    fn arbitrary_bodies_are_read_within_bounds(body in prop::collection::vec(any::<u8>(), 0..512)) {
        use sha2::{Digest as _, Sha256};
        let bytes = [b"PCFAULT\0\x01\0".as_slice(), &Sha256::digest(&body), &body].concat();
        if let Ok(file) = FaultFile::decode(&bytes) {
            assert!(!file.detail.contains(char::is_control) && file.detail.len() <= FAULT_DETAIL_BYTES_MAX);
        }
    }
}
