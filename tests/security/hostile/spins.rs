//! Guests that do not come back, want too much or go wrong, in every entry.

use libtest_mimic::Trial;
use portcullis_cell::{CellLimits, FaultKind};

use crate::common::{Entry, FOREVER, IDLE, LIMITS, Source};
use crate::expect::{Case, Expect, anything, leak};

pub(crate) fn trials() -> Vec<Trial> {
    entries()
        .into_iter()
        .chain(arithmetic())
        .chain(memory())
        .chain(bulk())
        .chain(calls())
        .map(Case::trial)
        .collect()
}

const RECURSION: &str = "(func $deeper (result i32) (i32.add (call $deeper) (i32.const 1)))";
const DONE: &str = "(call $outcome (local.get $records) (i32.const 0))";

fn entries() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in Entry::ALL {
        let name = |what: &str| format!("spins::{entry:?}::{what}").to_lowercase();
        // The long budgets can take a second of a busy machine, and then the clock is first.
        let endless = match entry {
            Entry::Describe | Entry::Frame => Expect::Fault(entry, FaultKind::OutOfFuel, "all fuel consumed"),
            Entry::Instantiate | Entry::Init | Entry::Snapshot | Entry::Restore => Expect::Stopped(entry),
        };
        cases.push(Case::guest(name("endless_loop"), entry.doing(FOREVER), endless));
        let traps = Expect::Fault(entry, FaultKind::Trap, "unreachable");
        cases.push(Case::guest(name("trap"), entry.doing("(unreachable)"), traps));
        let recursion = Source { extra: RECURSION, ..entry.doing("(drop (call $deeper)) (unreachable)") };
        let roomy = CellLimits { fuel_per_event: 100_000_000, ..LIMITS };
        let exhausted = Expect::Fault(entry, FaultKind::Trap, "call stack exhausted");
        cases.push(Case::guest(name("endless_recursion"), recursion, exhausted).limits(roomy));
        let memory =
            "(drop (memory.grow (i32.const 5))) (i32.store (i32.const -4) (i32.const 1)) (unreachable)";
        let wild = Expect::Fault(entry, FaultKind::Trap, "out of bounds");
        cases.push(Case::guest(name("wild_pointer"), entry.doing(memory), wild));
    }
    cases.extend([
        Case::guest(
            "spins::allocation::endless_loop",
            Source { realloc: "(loop $again (br $again))", on_frame: IDLE, ..Source::default() },
            // The set-up is the first that memory is asked for.
            Expect::Stopped(Entry::Init),
        ),
        Case::guest(
            "spins::allocation::trap",
            Source { realloc: "(unreachable)", on_frame: IDLE, ..Source::default() },
            Expect::Fault(Entry::Init, FaultKind::Trap, "unreachable"),
        ),
        Case::guest(
            "spins::clean_up::endless_loop",
            Source { post_return: "(loop $again (br $again))", on_frame: IDLE, ..Source::default() },
            Expect::Fault(Entry::Frame, FaultKind::OutOfFuel, ""),
        ),
        Case::guest(
            "spins::clean_up::trap",
            Source { post_return: "(unreachable)", on_frame: IDLE, ..Source::default() },
            Expect::Fault(Entry::Frame, FaultKind::Trap, "unreachable"),
        ),
    ]);
    // Fuel and clock run out at about the same time, again and again: one of the two, and never anything else.
    for (index, fuel) in [1_000_000, 3_000_000, 10_000_000, 30_000_000].into_iter().enumerate() {
        let limits = CellLimits { fuel_per_event: fuel, deadline_ms: 3, ..LIMITS };
        cases.push(
            Case::frame(format!("spins::race::{index}"), FOREVER, Expect::Stopped(Entry::Frame))
                .limits(limits),
        );
    }
    cases
}

fn arithmetic() -> Vec<Case> {
    [
        ("division_by_zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))", "divide by zero"),
        ("remainder_by_zero", "(drop (i64.rem_s (i64.const 1) (i64.const 0)))", "divide by zero"),
        ("overflow", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "overflow"),
        ("nan_to_integer", "(drop (i32.trunc_f64_s (f64.const nan)))", "conversion to integer"),
        ("infinity_to_integer", "(drop (i64.trunc_f64_u (f64.const inf)))", "overflow"),
        ("load_at_the_end_of_memory", "(drop (i64.load (i32.const 0x3ffffc)))", "out of bounds"),
        ("load_beyond_four_gigabytes", "(drop (i32.load offset=0xffffffff (i32.const -1)))", "out of bounds"),
        ("vector_load_across_the_edge", "(drop (v128.load (i32.const 0x3ffff1)))", "out of bounds"),
        ("byte_store_at_the_end", "(i32.store8 (i32.const 0x400000) (i32.const 1))", "out of bounds"),
    ]
    .into_iter()
    .map(|(name, body, words)| {
        let body = format!("{body} {DONE}");
        Case::frame(
            format!("spins::arithmetic::{name}"),
            body,
            Expect::Fault(Entry::Frame, FaultKind::Trap, words),
        )
    })
    .collect()
}

fn memory() -> Vec<Case> {
    let storm = "(loop $again (drop (memory.grow (i32.const 1))) (br $again)) (unreachable)";
    let refused = "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))";
    let touched = "(local $i i32)
        (drop (memory.grow (i32.const 64)))
        (loop $again
            (i32.store (local.get $i) (i32.const 1))
            (local.set $i (i32.add (local.get $i) (i32.const 4096)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 0x800000))))";
    let own = Source { pages: "64 70", on_frame: leak(format!("{refused} {DONE}")), ..Source::default() };
    let out = Expect::Fault(Entry::Frame, FaultKind::OutOfMemory, "likely memory: it had asked for");
    vec![
        Case::frame(
            "spins::memory::grow_storm",
            storm,
            Expect::Fault(Entry::Frame, FaultKind::OutOfFuel, ""),
        ),
        Case::frame("spins::memory::refused_and_panicking", format!("{refused} {DONE}"), out),
        Case::frame(
            "spins::memory::refused_and_going_on",
            format!("(drop (memory.grow (i32.const 100))) {DONE}"),
            Expect::Harmless(|life| assert_eq!(life.memory_bytes, 64 << 16)),
        ),
        Case::guest(
            "spins::memory::beyond_its_own_maximum",
            own,
            Expect::Fault(Entry::Frame, FaultKind::Trap, "unreachable"),
        ),
        Case::frame(
            "spins::memory::all_of_it_touched",
            format!("{touched} {DONE}"),
            Expect::Harmless(|life| assert_eq!(life.memory_bytes, 128 << 16)),
        ),
        Case::frame(
            "spins::memory::four_gigabytes_at_once",
            format!("(drop (memory.grow (i32.const -1))) {DONE}"),
            Expect::Fault(Entry::Frame, FaultKind::OutOfFuel, ""),
        ),
        Case::guest(
            "spins::memory::grown_in_the_start_function",
            Source {
                start: "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))",
                ..Source::default()
            },
            Expect::Fault(Entry::Instantiate, FaultKind::OutOfMemory, "likely memory"),
        ),
    ]
}

fn bulk() -> Vec<Case> {
    let frame = |name: &str, body: &str, expect| {
        Case::frame(format!("spins::bulk::{name}"), format!("{body} {DONE}"), expect)
    };
    let fuel = || Expect::Fault(Entry::Frame, FaultKind::OutOfFuel, "");
    let trap = || Expect::Fault(Entry::Frame, FaultKind::Trap, "out of bounds");
    let with = |name: &str, extra: &'static str, body: &str, expect| {
        let source = Source { extra, on_frame: leak(format!("{body} {DONE}")), ..Source::default() };
        Case::guest(format!("spins::bulk::{name}"), source, expect)
    };
    vec![
        frame(
            "fill_four_megabytes",
            "(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x400000))",
            fuel(),
        ),
        frame("fill_four_gigabytes", "(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))", fuel()),
        frame(
            "copy_four_megabytes",
            "(memory.copy (i32.const 1) (i32.const 0) (i32.const 0x3fffff))",
            fuel(),
        ),
        frame("fill_past_the_end", "(memory.fill (i32.const 0x3ffff0) (i32.const 1) (i32.const 17))", trap()),
        frame("copy_past_the_end", "(memory.copy (i32.const 0x3ffff0) (i32.const 0) (i32.const 17))", trap()),
        frame("copy_from_past_the_end", "(memory.copy (i32.const 0) (i32.const -1) (i32.const 1))", trap()),
        with(
            "init_past_the_segment",
            "(data $d \"abc\")",
            "(memory.init $d (i32.const 0) (i32.const 1) (i32.const 3))",
            trap(),
        ),
        with(
            "init_of_a_dropped_segment",
            "(data $d \"abc\")",
            "(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))",
            trap(),
        ),
        with(
            "grow_a_table_to_the_end",
            "(table $t 1 funcref)",
            "(drop (table.grow $t (ref.null func) (i32.const -1)))",
            fuel(),
        ),
        with(
            "grow_a_table_past_its_limit",
            "(table $t 1 funcref)",
            "(if (i32.ne (table.grow $t (ref.null func) (i32.const 20000)) (i32.const -1)) (then unreachable))",
            Expect::Harmless(anything),
        ),
        with(
            "fill_past_a_table",
            "(table $t 1 funcref)",
            "(table.fill $t (i32.const 1) (ref.null func) (i32.const 1))",
            trap(),
        ),
        with(
            "copy_past_a_table",
            "(table $t 1 funcref)",
            "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1))",
            trap(),
        ),
        with("read_past_a_table", "(table $t 1 funcref)", "(drop (table.get $t (i32.const 7)))", trap()),
    ]
}

fn calls() -> Vec<Case> {
    let table = "(table 2 funcref) (func $takes_one (param i64)) (elem (i32.const 0) $takes_one)";
    let with = |name: &str, extra: &'static str, body: &str, expect| {
        let source = Source { extra, on_frame: leak(format!("{body} {DONE}")), ..Source::default() };
        let roomy = CellLimits { fuel_per_event: 100_000_000, ..LIMITS };
        Case::guest(format!("spins::calls::{name}"), source, expect).limits(roomy)
    };
    let trap = |words| Expect::Fault(Entry::Frame, FaultKind::Trap, words);
    let large = leak(format!("(func $large (local {}) (call $large))", "i64 ".repeat(1_000)));
    vec![
        with("of_another_type", table, "(call_indirect (i32.const 0))", trap("type mismatch")),
        with("of_nothing", table, "(call_indirect (i32.const 1))", trap("uninitialized element")),
        with("past_the_table", table, "(call_indirect (i32.const 2))", trap("out of bounds")),
        with(
            "mutual_recursion",
            "(func $a (call $b)) (func $b (call $a))",
            "(call $a)",
            trap("call stack exhausted"),
        ),
        with("recursion_with_large_frames", large, "(call $large)", trap("call stack exhausted")),
    ]
}
