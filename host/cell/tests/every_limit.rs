//! Every limit on a guest, one by one: what is just within it works, and what is beyond it ends as it should, with the whole
//! budget charged.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod common;

use common::{Entry, FOREVER, IDLE, LIMITS, Source, frame, guest, live, program};
use portcullis_cell::{CellFault, CellLimits, FaultKind, Guest};

/// Takes long for its fuel: each root waits for the one before.
const SLOW: &str = "(local $x f64)
    (local.set $x (f64.const 2e300))
    (loop $again
        (local.set $x (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt
            (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt (f64.sqrt
            (local.get $x))))))))))))))))))
        (br $again))
    (unreachable)";

fn frame_fault(source: &Source, limits: CellLimits) -> CellFault {
    guest(source, limits).on_frame(&frame(1)).unwrap_err()
}

fn with_frame(on_frame: &'static str) -> Source {
    Source { on_frame, ..Source::default() }
}

#[test]
fn a_good_guest_is_within_all_of_them() {
    live(program(&Entry::Frame.doing(IDLE)), LIMITS, 1).unwrap();
}

#[test]
fn fuel_is_armed_before_every_entry() {
    for entry in Entry::ALL {
        let (failed, fault) = live(program(&entry.doing(FOREVER)), LIMITS, 1).unwrap_err();
        assert_eq!(failed, entry);
        assert_eq!(fault.fuel_charged, entry.fuel(&LIMITS, 1), "{entry:?}: the whole budget is charged");
        // The long budgets can take a second of a busy machine, and then the clock is first.
        let long = entry.fuel(&LIMITS, 1) > 10_000_000;
        assert!(
            fault.kind == FaultKind::OutOfFuel || long && fault.kind == FaultKind::Deadline,
            "{entry:?}: {fault}"
        );
    }
}

#[test]
fn the_clock_is_armed_before_every_entry() {
    // `describe` has so little fuel that no clock can be first.
    for entry in Entry::ALL.into_iter().filter(|entry| *entry != Entry::Describe) {
        let limits = CellLimits { fuel_per_event: 10_000_000_000, deadline_ms: 5, ..LIMITS };
        let (failed, fault) = live(program(&entry.doing(SLOW)), limits, 1).unwrap_err();
        assert_eq!((failed, fault.kind), (entry, FaultKind::Deadline), "{fault}");
        assert_eq!(fault.fuel_charged, entry.fuel(&limits, 1), "{entry:?}: the whole budget is charged");
    }
}

#[test]
fn allocation_and_clean_up_run_on_the_fuel_of_their_entry() {
    // The host asks for memory before it hands a frame over, and cleans up after it has taken the outcome.
    for source in [
        Source { realloc: "(loop $again (br $again))", on_frame: IDLE, ..Source::default() },
        Source { post_return: "(loop $again (br $again))", on_frame: IDLE, ..Source::default() },
    ] {
        let mut guest = Guest::start(program(&source), LIMITS).unwrap();
        let fault = guest.on_frame(&frame(1)).unwrap_err();
        assert_eq!(
            (fault.kind, fault.fuel_charged),
            (FaultKind::OutOfFuel, LIMITS.fuel_per_event),
            "{fault}"
        );
    }
}

#[test]
fn fuel_grows_with_the_events_and_no_further() {
    let body = "(local $i i32)
        (loop $again
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 30000))))
        (call $outcome (local.get $records) (i32.const 0))";
    let limits = CellLimits { fuel_per_event: 100_000, ..LIMITS };
    let mut guest = guest(&with_frame(body), limits);
    // Some 240,000 units: too many for one event, enough for three.
    let used = guest.on_frame(&frame(3)).unwrap().fuel;
    assert!((100_000..300_000).contains(&used), "{used}");
    let fault = guest.on_frame(&frame(1)).unwrap_err();
    assert_eq!((fault.kind, fault.fuel_charged), (FaultKind::OutOfFuel, 100_000));
}

const GROW_OR_TRAP: &str = "(if (i32.eq (memory.grow (i32.const 65)) (i32.const -1)) (then unreachable))
    (call $outcome (local.get $records) (i32.const 0))";

#[test]
fn memory_beyond_the_limit_is_named_as_the_likely_cause() {
    let limits = CellLimits { memory_bytes_max: 128 << 16, ..LIMITS };
    let fault = frame_fault(&with_frame(GROW_OR_TRAP), limits);
    assert_eq!(fault.kind, FaultKind::OutOfMemory);
    let words =
        format!("likely memory: it had asked for {} bytes of memory, {} are allowed", 129 << 16, 128 << 16);
    assert!(fault.detail.contains(&words), "{fault}");
    // One page more to go, and it works.
    let limits = CellLimits { memory_bytes_max: 129 << 16, ..LIMITS };
    guest(&with_frame(GROW_OR_TRAP), limits).on_frame(&frame(1)).unwrap();
}

#[test]
fn a_growth_past_the_guests_own_maximum_is_its_own_affair() {
    let source = Source { pages: "64 100", ..with_frame(GROW_OR_TRAP) };
    let fault = frame_fault(&source, LIMITS);
    assert_eq!(fault.kind, FaultKind::Trap, "{fault}");
    assert!(!fault.detail.contains("memory"), "{fault}");
}

#[test]
fn growths_that_fail_take_nothing_and_give_nothing_back() {
    // Grows by a page, asks for more than a 32-bit memory can be, and past its own maximum, over and over.
    let body = "(local $i i32)
        (loop $again
            (drop (memory.grow (i32.const 1)))
            (drop (memory.grow (i32.const 65535)))
            (drop (memory.grow (i32.const 60000)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 200))))
        (call $outcome (local.get $records) (i32.const 0))";
    let limits = CellLimits { fuel_per_event: 10_000_000_000, memory_bytes_max: 8 << 20, ..LIMITS };
    for (pages, most) in [("64", 128), ("64 100", 100)] {
        let mut guest = guest(&Source { pages, ..with_frame(body) }, limits);
        guest.on_frame(&frame(1)).unwrap();
        assert_eq!(guest.memory_bytes(), most << 16);
    }
}

#[test]
fn a_refusal_of_memory_that_a_guest_survived_is_not_blamed_for_a_later_trap() {
    let body = "(if (i32.eqz (global.get $events)) (then
            (global.set $events (i32.const 1))
            (drop (memory.grow (i32.const 100)))
            (return (call $outcome (local.get $records) (i32.const 0)))))
        (unreachable)";
    let mut guest = guest(&with_frame(body), LIMITS);
    guest.on_frame(&frame(1)).unwrap();
    let fault = guest.on_frame(&frame(1)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Trap);
    assert!(fault.detail.contains("earlier it had asked for"), "{fault}");
}

#[test]
fn tables_are_bounded_together() {
    let extra = "(table $a 1000 funcref) (table $b 1000 funcref)";
    let body =
        "(if (i32.ne (table.grow $a (ref.null func) (i32.const 9000)) (i32.const 1000)) (then unreachable))
        (if (i32.ne (table.grow $b (ref.null func) (i32.const 9001)) (i32.const -1)) (then unreachable))
        (if (i32.ne (table.grow $b (ref.null func) (i32.const 9000)) (i32.const 1000)) (then unreachable))
        (if (i32.ne (table.grow $a (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable))
        (call $outcome (local.get $records) (i32.const 0))";
    guest(&Source { extra, ..with_frame(body) }, LIMITS).on_frame(&frame(1)).unwrap();
}

#[test]
fn the_stack_is_bounded() {
    let extra = "(func $down (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))";
    let limits = CellLimits { fuel_per_event: 1_000_000_000, ..LIMITS };
    let shallow = "(drop (call $down (i32.const 1000))) (call $outcome (local.get $records) (i32.const 0))";
    guest(&Source { extra, ..with_frame(shallow) }, limits).on_frame(&frame(1)).unwrap();
    let deep = "(drop (call $down (i32.const 10000000))) (call $outcome (local.get $records) (i32.const 0))";
    let fault = frame_fault(&Source { extra, ..with_frame(deep) }, limits);
    assert_eq!((fault.kind, fault.fuel_charged), (FaultKind::Trap, 1_000_000_000));
    assert!(fault.detail.contains("call stack exhausted"), "{fault}");
}

#[test]
fn what_a_call_hands_over_is_bounded() {
    // A list of 7,000 actions: within the guest's memory and above what one event's call may hand over.
    let fault = frame_fault(&with_frame("(call $outcome (local.get $records) (i32.const 7000))"), LIMITS);
    assert_eq!(fault.kind, FaultKind::Protocol);
    assert!(fault.detail.starts_with("it handed over more than the "), "{fault}");
    assert!(fault.detail.ends_with(" bytes a call may"), "{fault}");
}

#[test]
fn frames_are_bounded_before_the_guest_sees_them() {
    let mut guest = guest(&with_frame(IDLE), LIMITS);
    guest.on_frame(&frame(4_096)).unwrap();
    // One record too many, and a frame that says it is longer than any.
    let mut long = frame(1);
    long.resize((1 << 20) + 1, 0);
    let length = u32::try_from(long.len()).unwrap();
    long.splice(20..24, length.to_le_bytes());
    for beyond in [frame(4_097), long] {
        let fault = guest.on_frame(&beyond).unwrap_err();
        assert_eq!((fault.kind, fault.fuel_charged), (FaultKind::Host, 0));
    }
    assert!(guest.is_live());
}

#[test]
fn actions_are_bounded_for_each_event() {
    let body = "(local $i i32)
        (loop $next
            (drop (call $action (local.get $i) (i32.const 0) (i32.const 2)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 3))))
        (call $outcome (local.get $records) (i32.const 3))";
    let within = CellLimits { actions_per_event_max: 3, ..LIMITS };
    assert_eq!(guest(&with_frame(body), within).on_frame(&frame(1)).unwrap().outcome.actions.len(), 3);
    let fault = frame_fault(&with_frame(body), CellLimits { actions_per_event_max: 2, ..LIMITS });
    assert_eq!(fault.kind, FaultKind::Protocol);
    assert!(fault.detail.contains("more than 2 actions caused by event 0"), "{fault}");
}

#[test]
fn snapshots_are_bounded_both_ways() {
    let snapshot = "(i32.store (i32.const 704) (i32.const 0)) (i32.store (i32.const 708) (i32.const 262144)) (i32.const 704)";
    let mut guest = guest(&Source { snapshot, ..with_frame(IDLE) }, LIMITS);
    let whole = guest.snapshot().unwrap();
    assert_eq!(whole.bytes.len(), 256 << 10);
    guest.restore(whole.version, &whole.bytes).unwrap().unwrap();
}
