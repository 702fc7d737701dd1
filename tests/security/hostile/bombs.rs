//! Components that the static limits let pass and that are meant for the compiler. Each is compiled in the confined child, whose
//! memory and time are limited; what comes out of it, if anything does, runs like any other guest.

use std::sync::Arc;

use libtest_mimic::Trial;
use portcullis_bundle::{Tier, admit};
use portcullis_cell::{CellEngine, Program, RunnerError};

use crate::common::{LIMITS, live};
use crate::expect::good_and;
use crate::processes::Fixture;

pub(crate) fn trials() -> Vec<Trial> {
    BOMBS
        .iter()
        .map(|(name, build)| {
            Trial::test(format!("bombs::{name}"), move || {
                defuse(&build());
                Ok(())
            })
        })
        .collect()
}

type Bomb = (&'static str, fn() -> String);

/// Each just below the bytes that one function, or all of them, may have.
const BOMBS: [Bomb; 13] = [
    ("a_jump_table_with_sixty_thousand_targets", || {
        format!("(func (param i32) (block (block (br_table {} (local.get 0)))))", "0 1 ".repeat(30_000))
    }),
    // More than the compiler knows how to do, and it says so.
    ("a_jump_table_with_a_hundred_thousand_targets", || {
        format!("(func (param i32) (block (block (br_table {} (local.get 0)))))", "0 1 ".repeat(50_000))
    }),
    ("many_jump_tables_into_many_blocks", || {
        let blocks = 1_000;
        let targets: String = (0..blocks).map(|n| format!("{n} ")).collect();
        let tables = format!("(br_table {targets} (local.get 0))").repeat(60);
        format!("(func (param i32) {} {tables} {})", "(block ".repeat(blocks), ")".repeat(blocks))
    }),
    ("blocks_fifty_thousand_deep", || {
        format!("(func {} {})", "block ".repeat(50_000), "end ".repeat(50_000))
    }),
    ("loops_twenty_thousand_deep", || {
        format!("(func (param i32) {} {})", "loop ".repeat(20_000), "local.get 0 br_if 0 end ".repeat(20_000))
    }),
    ("one_huge_expression", || {
        format!("(func (param i64) (result i64) local.get 0 {})", "local.get 0 i64.mul ".repeat(50_000))
    }),
    ("a_stack_thirty_thousand_high", || {
        format!(
            "(func (param i64) (result i64) {} {})",
            "local.get 0 ".repeat(30_000),
            "i64.add ".repeat(29_999)
        )
    }),
    ("five_thousand_locals_alive_at_once", || {
        let locals = 5_000;
        let sets: String =
            (0..locals).map(|n| format!("(local.set {n} (i64.load (i32.const {n})))")).collect();
        let gets: String =
            (0..locals).map(|n| format!("(i64.store (i32.const {n}) (local.get {n}))")).collect();
        format!("(memory 1) (func (local {}) {sets} {gets})", "i64 ".repeat(locals))
    }),
    ("a_hundred_parameters_a_thousand_calls", || {
        let zeroes = "(i64.const 0) ".repeat(99);
        format!(
            "(func $f (param {})) (func {})",
            "i64 ".repeat(99),
            format!("(call $f {zeroes})").repeat(1_000)
        )
    }),
    ("divisions_each_with_its_own_trap", || {
        format!("(func (param i64) (result i64) local.get 0 {})", "local.get 0 i64.div_s ".repeat(50_000))
    }),
    ("vector_shuffles", || {
        let lanes = "0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31";
        format!(
            "(func (param v128) (result v128) local.get 0 {})",
            format!("local.get 0 i8x16.shuffle {lanes} ").repeat(10_000)
        )
    }),
    ("selects_that_depend_on_each_other", || {
        format!(
            "(func (param i64 i32) (result i64) local.get 0 {})",
            "local.get 0 local.get 1 select ".repeat(30_000)
        )
    }),
    ("nineteen_thousand_functions", || "(func (param i32) (result i32) local.get 0)".repeat(9_900)),
];

fn defuse(fields: &str) {
    let component = good_and(&format!("(core module {fields})"));
    admit(&component, Tier::Native, LIMITS.memory_bytes_max).unwrap();
    match Fixture::new().compile(&component) {
        Ok(artifact) => {
            let program = Program::load(&Arc::new(CellEngine::new().unwrap()), &artifact).unwrap();
            live(program, LIMITS, 3).unwrap();
        }
        // Also well: a limit of the child's own or of the compiler ended it, and it says so. The session and this process go on.
        Err(RunnerError::CompileFailed(reason)) => {
            let known = ["beyond its limits", "implementation limit"];
            assert!(known.iter().any(|words| reason.contains(words)), "{reason}");
        }
        // The wall clock ended it, which on a busy machine says nothing about the component.
        Err(RunnerError::CompileInterrupted(_)) => {}
        Err(other) => panic!("{other}"),
    }
}
