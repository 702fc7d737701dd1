//! Calls into guests, good and hostile, in this process.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod common;

use std::time::{Duration, Instant};

use common::{LIMITS, Source, component, frame, guest, program, setup};
use portcullis_cell::{
    Artifact, ArtifactError, ArtifactKey, CellEngine, CellFault, CellLimits, CompileError, FaultKind, Guest,
    Program, RestoreRefusal, compile, component_digest, engine_digest,
};
use portcullis_core::{Action, ActionBody, Digest, LogLevel, OrderNumber};

/// The fault of a guest that is fine until its first frame of `records` events.
fn fault(source: &Source, limits: CellLimits, records: u32) -> CellFault {
    let mut guest = guest(source, limits);
    let fault = guest.on_frame(&frame(records)).unwrap_err();
    assert!(!guest.is_live(), "a fault takes the instance away");
    assert_eq!(guest.on_frame(&frame(1)).unwrap_err().kind, FaultKind::Host);
    guest.restart().unwrap();
    guest.init(&setup()).unwrap().unwrap();
    fault
}

fn with_frame(on_frame: &'static str) -> Source {
    Source { on_frame, ..Source::default() }
}

#[test]
fn a_frame_gives_typed_actions_and_its_fuel() {
    let mut guest = guest(&Source::default(), LIMITS);
    let answer = guest.on_frame(&frame(3)).unwrap();
    let cancel = |cause, number| Action { cause, body: ActionBody::Cancel(OrderNumber(number)) };
    assert_eq!(answer.outcome.consumed, 3);
    assert_eq!(answer.outcome.actions, [cancel(0, 1), cancel(2, 3)]);
    assert!((1..1_000).contains(&answer.fuel), "{}", answer.fuel);
}

#[test]
fn the_same_frames_give_the_same_actions_and_the_same_fuel() {
    let run = || {
        let mut guest = guest(&Source::default(), LIMITS);
        [1, 2, 7, 64, 4_096 / 64].map(|records| guest.on_frame(&frame(records)).unwrap())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_snapshot_brings_a_restarted_guest_to_the_same_state() {
    let mut guest = guest(&Source::default(), LIMITS);
    guest.on_frame(&frame(5)).unwrap();
    let snapshot = guest.snapshot().unwrap();
    assert_eq!((snapshot.version, snapshot.bytes.as_slice()), (7, &[5, 0, 0, 0][..]));
    let expected = guest.on_frame(&frame(4)).unwrap();

    guest.restart().unwrap();
    guest.init(&setup()).unwrap().unwrap();
    assert_eq!(guest.restore(8, &snapshot.bytes).unwrap(), Err(RestoreRefusal::UnsupportedVersion));
    assert_eq!(guest.restore(7, &snapshot.bytes).unwrap(), Ok(()));
    assert_eq!(guest.on_frame(&frame(4)).unwrap(), expected);
}

#[test]
fn the_description_is_checked() {
    let mut good = guest(&Source::default(), LIMITS);
    let description = good.describe().unwrap();
    assert_eq!((description.name.as_str(), description.version.as_str()), ("test-guest", "1.0.0"));

    // A name of 40 zero bytes.
    let describe =
        "(i32.store (i32.const 512) (i32.const 0x10000)) (i32.store (i32.const 516) (i32.const 40))
        (i32.const 512)";
    let long = Source { describe, ..Source::default() };
    let fault = guest(&long, LIMITS).describe().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Protocol);
    assert!(fault.detail.contains("name"), "{fault}");
}

#[test]
fn a_guests_own_refusal_is_no_fault() {
    // `err(bad-parameter("test-guest"))`: the payload stands four bytes behind the discriminant.
    let init = "(i32.store8 (i32.const 660) (i32.const 1))
        (i32.store (i32.const 668) (i32.const 480)) (i32.store (i32.const 672) (i32.const 10)) (i32.const 660)";
    let mut guest = Guest::start(program(&Source { init, ..Source::default() }), LIMITS).unwrap();
    let refusal = guest.init(&setup()).unwrap().unwrap_err();
    assert_eq!(refusal.to_string(), "bad parameter: test-guest");
    assert!(guest.is_live());
}

#[test]
fn a_trap_names_the_function() {
    let source = Source {
        extra: "(func $deep_inside unreachable)",
        ..with_frame("(call $deep_inside) (i32.const 0)")
    };
    let fault = fault(&source, LIMITS, 2);
    assert_eq!(fault.kind, FaultKind::Trap);
    assert!(fault.detail.contains("unreachable") && fault.detail.contains("deep_inside"), "{fault}");
    assert_eq!(fault.fuel_charged, 2 * LIMITS.fuel_per_event);
}

#[test]
fn endless_recursion_is_a_trap_of_the_guest_alone() {
    let source = Source {
        extra: "(func $again (result i32) (i32.add (call $again) (i32.const 1)))",
        ..with_frame("(call $again)")
    };
    let limits = CellLimits { fuel_per_event: 1_000_000_000, ..LIMITS };
    let fault = fault(&source, limits, 1);
    assert_eq!(fault.kind, FaultKind::Trap);
    assert!(fault.detail.contains("call stack exhausted"), "{fault}");
}

const FOREVER: &str = "(loop $again (br $again)) (unreachable)";

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    assert_eq!(fault(&with_frame(FOREVER), LIMITS, 1).kind, FaultKind::OutOfFuel);
}

#[test]
fn an_endless_loop_with_fuel_is_stopped_by_the_clock() {
    let limits = CellLimits { fuel_per_event: 10_000_000_000, deadline_ms: 20, ..LIMITS };
    let mut guest = guest(&with_frame(FOREVER), limits);
    let started = Instant::now();
    let fault = guest.on_frame(&frame(1)).unwrap_err();
    let took = started.elapsed();
    assert_eq!(fault.kind, FaultKind::Deadline);
    // The bound is for a busy machine; how close it gets is a benchmark's business.
    assert!(took >= Duration::from_millis(20) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn the_clock_is_awake_again_after_a_rest() {
    let limits = CellLimits { fuel_per_event: 10_000_000_000, deadline_ms: 5, ..LIMITS };
    let mut guest = guest(&with_frame(FOREVER), limits);
    // Long enough for the clock's thread to have gone to sleep.
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(guest.on_frame(&frame(1)).unwrap_err().kind, FaultKind::Deadline);
}

#[test]
fn a_start_function_is_watched_too() {
    let source = Source { start: "(loop $again (br $again))", ..Source::default() };
    let (guest, fault) = *Guest::start(program(&source), LIMITS).unwrap_err();
    // On a busy machine the clock may be first.
    assert!(matches!(fault.kind, FaultKind::OutOfFuel | FaultKind::Deadline), "{fault}");
    assert!(!guest.is_live());
}

#[test]
fn memory_beyond_the_limit_is_refused_and_reported() {
    // Panics the way a guest's allocator does.
    let grow = "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)) (call $outcome (i32.const 1) (i32.const 0))";
    let fault = fault(&with_frame(grow), LIMITS, 1);
    assert_eq!(fault.kind, FaultKind::OutOfMemory);
    assert!(fault.detail.contains(&format!("asked for {} bytes", 164 * 65_536)), "{fault}");
    assert!(fault.detail.contains(&format!("{} are allowed", LIMITS.memory_bytes_max)), "{fault}");
}

#[test]
fn a_guest_that_survives_a_refusal_of_memory_goes_on() {
    let grow = "(drop (memory.grow (i32.const 100))) (call $outcome (i32.const 1) (i32.const 0))";
    let mut guest = guest(&with_frame(grow), LIMITS);
    guest.on_frame(&frame(1)).unwrap();
    assert_eq!(guest.memory_bytes(), 64 * 65_536);
}

#[test]
fn too_much_memory_at_the_start_is_refused() {
    let source = Source { pages: "200", ..Source::default() };
    let (_, fault) = *Guest::start(program(&source), LIMITS).unwrap_err();
    assert_eq!(fault.kind, FaultKind::OutOfMemory);
}

#[test]
fn growing_memory_costs_fuel() {
    let grow = "(drop (memory.grow (i32.const 10))) (call $outcome (i32.const 1) (i32.const 0))";
    let mut guest = guest(&with_frame(grow), LIMITS);
    assert!(guest.on_frame(&frame(1)).unwrap().fuel > 2_550);
}

#[test]
fn outcomes_that_break_the_contract_are_faults() {
    for (on_frame, hint) in [
        ("(call $outcome (i32.const 0) (i32.const 0))", "0 of 3 events consumed"),
        ("(call $outcome (i32.const 4) (i32.const 0))", "4 of 3 events consumed"),
        (
            "(drop (call $action (i32.const 0) (i32.const 3) (i32.const 2))) (call $outcome (i32.const 3) (i32.const 1))",
            "event 3 of 3",
        ),
        (
            "(drop (call $action (i32.const 0) (i32.const 1) (i32.const 2)))
          (call $outcome (i32.const 1) (i32.const 1))",
            "event 1 of 1",
        ),
        (
            "(drop (call $action (i32.const 0) (i32.const 1) (i32.const 2)))
          (drop (call $action (i32.const 1) (i32.const 0) (i32.const 2)))
          (call $outcome (i32.const 3) (i32.const 2))",
            "event 0 after one caused by 1",
        ),
        // Kind 9 does not exist.
        (
            "(drop (call $action (i32.const 0) (i32.const 0) (i32.const 9))) (call $outcome (i32.const 3) (i32.const 1))",
            "",
        ),
        // 33 cancels for the first event.
        (
            "(local $i i32)
          (loop $next
            (drop (call $action (local.get $i) (i32.const 0) (i32.const 2)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 33))))
          (call $outcome (i32.const 3) (i32.const 33))",
            "more than 32 actions caused by event 0",
        ),
        // A list that is not in its memory.
        (
            "(i32.store (i32.const 604) (i32.const 0x7fff0000)) (i32.store (i32.const 608) (i32.const 10))
          (i32.store (i32.const 600) (i32.const 3)) (i32.const 600)",
            "",
        ),
        // An outcome that is not in its memory.
        ("(i32.const -8)", ""),
    ] {
        let fault = fault(&with_frame(on_frame), LIMITS, 3);
        assert_eq!(fault.kind, FaultKind::Protocol, "{on_frame}: {fault}");
        assert!(fault.detail.contains(hint), "{fault}");
    }
}

const CANCELS: &str = "(local $i i32)
    (loop $next
      (drop (call $action (local.get $i) (i32.div_u (local.get $i) (i32.const 32)) (i32.const 2)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 10000))))
    (call $outcome (local.get $records) (i32.const 10000))";

#[test]
fn ten_thousand_actions_are_a_fault_and_4096_are_not() {
    let fault = fault(&with_frame(CANCELS), LIMITS, 400);
    assert_eq!(fault.kind, FaultKind::Protocol);

    let full = "(local $i i32)
    (loop $next
      (drop (call $action (local.get $i) (i32.div_u (local.get $i) (i32.const 32)) (i32.const 2)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 4096))))
    (call $outcome (local.get $records) (i32.const 4096))";
    let mut guest = guest(&with_frame(full), LIMITS);
    assert_eq!(guest.on_frame(&frame(400)).unwrap().outcome.actions.len(), 4_096);
}

/// A log line of `$length` bytes from the start of memory, caused by event `$cause`.
const LOGGER: &str = "(func $log (param $index i32) (param $cause i32) (param $length i32)
    (local $at i32)
    (local.set $at (call $action (local.get $index) (local.get $cause) (i32.const 6)))
    (i32.store8 (local.get $at) (i32.const 2))
    (i32.store offset=4 (local.get $at) (i32.const 0x10000))
    (i32.store offset=8 (local.get $at) (local.get $length)))
    (data (i32.const 0x10000) \"first \\c3\\a4\")";

#[test]
fn log_lines_are_cut_each_and_all_together() {
    let on_frame = "(call $log (i32.const 0) (i32.const 0) (i32.const 7))
        (call $log (i32.const 1) (i32.const 0) (i32.const 8))
        (call $log (i32.const 2) (i32.const 1) (i32.const 1000))
        (call $log (i32.const 3) (i32.const 1) (i32.const 1000))
        (call $outcome (i32.const 2) (i32.const 4))";
    // The first line ends inside a character and so is no string at all.
    let broken = fault(&Source { extra: LOGGER, ..with_frame(on_frame) }, LIMITS, 2);
    assert_eq!(broken.kind, FaultKind::Protocol);

    let on_frame = "(call $log (i32.const 0) (i32.const 0) (i32.const 8))
        (call $log (i32.const 1) (i32.const 0) (i32.const 8))
        (call $log (i32.const 2) (i32.const 1) (i32.const 1000))
        (call $outcome (i32.const 2) (i32.const 3))";
    let limits = CellLimits { log_bytes_max: 15, ..LIMITS };
    let answer =
        guest(&Source { extra: LOGGER, ..with_frame(on_frame) }, limits).on_frame(&frame(2)).unwrap();
    let lines: Vec<_> = answer.outcome.actions.iter().map(line).collect();
    assert_eq!(lines[0], (0, LogLevel::Warn, "first ä".to_owned()));
    assert_eq!(lines[1], (0, LogLevel::Warn, "first ".to_owned()), "cut at the character's edge");
    assert_eq!((lines[2].0, lines[2].2.len()), (1, 15));

    let on_frame = "(call $log (i32.const 0) (i32.const 0) (i32.const 3000)) (call $outcome (i32.const 1) (i32.const 1))";
    let answer =
        guest(&Source { extra: LOGGER, ..with_frame(on_frame) }, LIMITS).on_frame(&frame(1)).unwrap();
    assert_eq!(line(&answer.outcome.actions[0]).2.len(), 1_024);
}

fn line(action: &Action) -> (u32, LogLevel, String) {
    let ActionBody::Log { level, message } = &action.body else { panic!("not a log line: {action:?}") };
    (action.cause, *level, message.clone())
}

#[test]
fn huge_strings_stay_in_the_guest() {
    let on_frame = "(call $log (i32.const 0) (i32.const 0) (i32.const 2000000)) (call $outcome (i32.const 1) (i32.const 1))";
    let fault = fault(&Source { extra: LOGGER, ..with_frame(on_frame) }, LIMITS, 1);
    assert_eq!(fault.kind, FaultKind::Protocol);
    assert!(fault.detail.len() <= 512);
}

#[test]
fn a_snapshot_above_its_bound_is_a_fault() {
    let snapshot = "(i32.store (i32.const 704) (i32.const 0)) (i32.store (i32.const 708) (i32.const 262145)) (i32.const 704)";
    let mut guest = guest(&Source { snapshot, ..Source::default() }, LIMITS);
    let fault = guest.snapshot().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Protocol);
    assert!(fault.detail.contains("262145 bytes"), "{fault}");
}

#[test]
fn a_damaged_frame_is_the_hosts_fault_and_leaves_the_guest_alone() {
    let mut guest = guest(&Source::default(), LIMITS);
    let mut short = frame(2);
    short.pop();
    let mut none = frame(1);
    none[16] = 0;
    for damaged in [&[][..], &short, &none, &frame(1)[..20], &frame(5_000)] {
        assert_eq!(guest.on_frame(damaged).unwrap_err().kind, FaultKind::Host);
    }
    assert!(guest.is_live());
    guest.on_frame(&frame(1)).unwrap();
}

#[test]
fn a_component_with_an_import_or_without_the_exports_does_not_load() {
    let engine = std::sync::Arc::new(CellEngine::new().unwrap());
    for text in [
        "(component)",
        "(component (import \"wasi:random/random@0.2.0\" (instance (export \"get\" (func)))))",
    ] {
        let artifact = compile(&wat::parse_str(text).unwrap()).unwrap();
        let error = Program::load(&engine, &artifact).unwrap_err();
        assert!(error.to_string().contains("portcullis:strategy@0.1.0"), "{error}");
    }
}

#[test]
fn what_is_no_component_does_not_compile() {
    assert!(matches!(compile(b""), Err(CompileError::Invalid(_))));
    assert!(matches!(compile(b"(component)"), Err(CompileError::Invalid(_))), "text is not taken");
    assert!(matches!(compile(&wat::parse_str("(module)").unwrap()), Err(CompileError::Invalid(_))));
    let native = common::artifact(&Source::default());
    // Behind our header stands what wasmtime would take for its own.
    assert!(matches!(compile(&native.bytes()[72..]), Err(CompileError::Precompiled)));
    // A shared memory needs threads.
    let threads = "(component (core module (memory 1 1 shared)))";
    assert!(matches!(compile(&wat::parse_str(threads).unwrap()), Err(CompileError::Invalid(_))));
}

#[test]
fn an_artifact_is_bound_to_key_engine_and_component() {
    let bytes = component(&Source::default());
    let artifact = compile(&bytes).unwrap();
    let (engine, digest) = (engine_digest().unwrap(), component_digest(&bytes));
    let key = ArtifactKey::new([1; 32]);
    let stored = artifact.protect(&key).unwrap();
    assert_eq!(Artifact::open(&key, &stored, engine, digest).unwrap(), artifact);

    let other = Digest([9; 32]);
    let open = |key: u8, stored: &[u8], engine, digest| {
        Artifact::open(&ArtifactKey::new([key; 32]), stored, engine, digest)
    };
    assert!(matches!(open(2, &stored, engine, digest), Err(ArtifactError::Forged)));
    assert!(matches!(open(1, &stored, other, digest), Err(ArtifactError::OtherEngine { .. })));
    assert!(matches!(open(1, &stored, engine, other), Err(ArtifactError::OtherComponent { .. })));
    assert!(matches!(open(1, &stored[..31], engine, digest), Err(ArtifactError::Malformed)));
    for index in [0, 31, 32, 40, 80, 120, stored.len() / 2, stored.len() - 1] {
        let mut flipped = stored.clone();
        flipped[index] ^= 1;
        assert!(matches!(open(1, &flipped, engine, digest), Err(ArtifactError::Forged)), "byte {index}");
    }
    assert!(!format!("{key:?}").contains('1'));
}
