//! Components that are too much of something before any of their code runs, and proposals that are switched off.

use std::sync::Arc;

use libtest_mimic::Trial;
use portcullis_bundle::{Tier, admit};
use portcullis_cell::{CellEngine, CellLimits, CompileError, FaultKind, LoadError, Program, compile};

use crate::common::{Entry, LIMITS, Source};
use crate::expect::{Case, Expect, and, good_and};

pub(crate) fn trials() -> Vec<Trial> {
    let cases = counts().into_iter().chain(structure()).chain(starts());
    let proposals = PROPOSALS.iter().map(|&(name, field)| {
        Trial::test(format!("shapes::proposals::{name}"), move || {
            proposal(field);
            Ok(())
        })
    });
    let walls = SECOND_WALL.iter().map(|(name, fields)| {
        Trial::test(format!("shapes::second_wall::{name}"), move || {
            second_wall(&fields());
            Ok(())
        })
    });
    cases.map(Case::trial).chain(proposals).chain(walls).collect()
}

fn refused(name: &str, fields: String, code: &'static str) -> Case {
    Case::lazy(format!("shapes::{name}"), move || good_and(&fields), Expect::Refused(code, ""))
}

/// A core module with this in it.
fn module(fields: &str) -> String {
    format!("(core module {fields})")
}

fn counts() -> Vec<Case> {
    let many = |field: &str, times: usize| module(&field.repeat(times));
    let params = |count: usize| format!("(type (func (param {})))", "i32 ".repeat(count));
    vec![
        refused("memory_of_four_gigabytes", module("(memory 65536)"), "INITIAL_MEMORY_TOO_LARGE"),
        refused("memory_above_the_manifest", module("(memory 100)"), "INITIAL_MEMORY_ABOVE_MANIFEST"),
        refused(
            "memory_above_the_manifest_by_its_sum",
            module("(memory 65)"),
            "INITIAL_MEMORY_ABOVE_MANIFEST",
        ),
        refused("three_memories", [module("(memory 0)"), module("(memory 0)")].concat(), "TOO_MANY_MEMORIES"),
        refused("table_of_four_billion", module("(table 4294967295 funcref)"), "TOO_MANY_TABLE_ELEMENTS"),
        refused("tables_that_add_up", many("(table 10001 funcref)", 2), "TOO_MANY_TABLE_ELEMENTS"),
        refused("three_tables", many("(table 0 funcref)", 3), "TOO_MANY_TABLES"),
        refused(
            "one_memory_in_many_instances",
            "(core module $m (memory 1)) ".to_owned() + &"(core instance (instantiate $m))".repeat(3),
            "TOO_MANY_MEMORIES",
        ),
        refused(
            "one_table_in_many_instances",
            "(core module $m (table 7000 funcref)) ".to_owned()
                + &"(core instance (instantiate $m))".repeat(3),
            "TOO_MANY_TABLES",
        ),
        refused("seventeen_instances", "(instance)".repeat(17), "TOO_MANY_INSTANCES"),
        refused("ten_thousand_instances", "(instance)".repeat(10_000), "TOO_MANY_INSTANCES"),
        refused("five_modules", "(core module)".repeat(5), "TOO_MANY_MODULES"),
        refused("nine_components", "(component)".repeat(9), "TOO_MANY_COMPONENTS"),
        refused("components_fifty_deep", "(component ".repeat(50) + &")".repeat(50), "TOO_MANY_COMPONENTS"),
        refused("two_thousand_items", "(type u8)".repeat(2_001), "TOO_MANY_COMPONENT_ITEMS"),
        refused("ten_thousand_parameters", module(&params(10_000)), "COMPONENT_INVALID"),
        refused("a_thousand_parameters", module(&params(1_000)), "TOO_MANY_FUNCTION_PARAMS"),
        refused("a_hundred_and_one_parameters", module(&params(101)), "TOO_MANY_FUNCTION_PARAMS"),
        refused(
            "parameters_that_add_up",
            module(&format!(
                "(type $t (func (param {}))) {}",
                "i32 ".repeat(100),
                "(func (type $t))".repeat(101)
            )),
            "TOO_MANY_PARAMS",
        ),
        refused(
            "seventeen_results",
            module(&format!("(type (func (result {})))", "i32 ".repeat(17))),
            "TOO_MANY_FUNCTION_RESULTS",
        ),
        refused("two_thousand_function_types", many("(type (func))", 2_001), "TOO_MANY_FUNCTION_TYPES"),
        refused("twenty_thousand_functions", many("(func)", 20_001), "TOO_MANY_FUNCTIONS"),
        refused(
            "fifty_thousand_locals",
            module(&format!("(func (local {}))", "i64 ".repeat(50_000))),
            "TOO_MANY_FUNCTION_LOCALS",
        ),
        refused(
            "locals_that_add_up",
            module(&format!("(func (local {}))", "i64 ".repeat(5_000)).repeat(41)),
            "TOO_MANY_LOCALS",
        ),
        refused(
            "a_huge_function",
            module(&format!("(func {})", "nop ".repeat(300_000))),
            "FUNCTION_TOO_LARGE",
        ),
        refused("a_thousand_globals", many("(global i32 (i32.const 0))", 1_001), "TOO_MANY_GLOBALS"),
        refused("a_thousand_data_segments", many("(data \"\")", 1_001), "TOO_MANY_DATA_SEGMENTS"),
        refused("a_hundred_element_segments", many("(elem func)", 101), "TOO_MANY_ELEMENT_SEGMENTS"),
        refused("a_hundred_core_imports", many("(import \"a\" \"b\" (func))", 101), "TOO_MANY_CORE_IMPORTS"),
        refused(
            "five_hundred_core_exports",
            module(&((0..501).map(|n| format!("(export \"e{n}\" (func 0))")).collect::<String>() + "(func)")),
            "TOO_MANY_CORE_EXPORTS",
        ),
        refused(
            "a_giant_data_segment",
            module(&format!("(memory 40) (data (i32.const 0) \"{}\")", "a".repeat(2 << 20))),
            "COMPONENT_TOO_LARGE",
        ),
    ]
}

fn structure() -> Vec<Case> {
    vec![
        refused("nested_code", "(component (core module (func)))".to_owned(), "NESTED_CORE_MODULE"),
        refused(
            "deeply_nested_code",
            "(component (component (core module)))".to_owned(),
            "NESTED_CORE_MODULE",
        ),
        refused("a_body_that_is_no_code", module("(func i32.add drop)"), "COMPONENT_INVALID"),
        refused("a_jump_out_of_the_function", module("(func (br 4000000000))"), "COMPONENT_INVALID"),
        refused(
            "an_import_nobody_provides",
            "(core module $m (import \"a\" \"b\" (func))) (core instance (instantiate $m))".to_owned(),
            "COMPONENT_INVALID",
        ),
        refused(
            "a_lift_of_the_wrong_type",
            "(core module $m (func (export \"f\") (param i64))) (core instance $i (instantiate $m))
             (func (param \"x\" string) (canon lift (core func $i \"f\")))"
                .to_owned(),
            "COMPONENT_INVALID",
        ),
        refused(
            "types_that_double_with_each_line",
            {
                let doubling: String =
                    (0..40).map(|n| format!("(type $t{} (tuple $t{n} $t{n}))", n + 1)).collect();
                format!("(type $t0 u8) {doubling}")
            },
            "COMPONENT_INVALID",
        ),
        Case::lazy(
            "shapes::a_nested_component_without_code",
            || good_and("(component (component))"),
            Expect::Harmless(crate::expect::anything),
        ),
    ]
}

/// What happens while an instance is made.
fn starts() -> Vec<Case> {
    let trap = |name: &str, extra: &'static str| {
        let source = Source { extra, ..Source::default() };
        let words = "out of bounds";
        Case::guest(
            format!("shapes::starts::{name}"),
            source,
            Expect::Fault(Entry::Instantiate, FaultKind::Trap, words),
        )
    };
    let resources = "(type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (alias core export 0 \"holders\" (core table $holders))
        (core module $fill
            (import \"\" \"holders\" (table 1 funcref)) (import \"\" \"new\" (func (param i32) (result i32)))
            (elem (i32.const 0) func 0))
        (core instance (instantiate $fill
            (with \"\" (instance (export \"holders\" (table $holders)) (export \"new\" (func $new))))))";
    let handles = |count: u32| {
        let body = format!(
            "(local $i i32)
            (loop $again
                (drop (call_indirect (param i32) (result i32) (local.get $i) (i32.const 0)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $i) (i32.const {count}))))
            (call $outcome (local.get $records) (i32.const 0))"
        );
        move || {
            let extra = "(table (export \"holders\") 1 funcref)";
            let source = Source { extra, on_frame: crate::expect::leak(body), ..Source::default() };
            and(&crate::common::component(&source), resources)
        }
    };
    let roomy = CellLimits { fuel_per_event: 10_000_000, ..LIMITS };
    vec![
        trap("a_data_segment_outside_memory", "(data (i32.const 0x7fffffff) \"x\")"),
        trap("a_data_segment_across_the_edge", "(data (i32.const 0x3fffff) \"xy\")"),
        trap("an_element_outside_its_table", "(table 1 funcref) (func $f) (elem (i32.const 1) $f)"),
        Case::lazy("shapes::starts::thirty_handles", handles(30), Expect::Harmless(crate::expect::anything))
            .limits(roomy),
        Case::lazy(
            "shapes::starts::a_flood_of_handles",
            handles(100_000),
            Expect::Fault(Entry::Frame, FaultKind::Protocol, ""),
        )
        .limits(roomy),
    ]
}

/// Each of them switched off in admission, and once more in the compiler.
const PROPOSALS: [(&str, &str); 22] = [
    ("threads", "(core module (memory 1 1 shared))"),
    ("atomics", "(core module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))"),
    ("memory64", "(core module (memory i64 1))"),
    ("multi_memory", "(core module (memory 0) (memory 0))"),
    ("exceptions", "(core module (tag))"),
    ("gc_structs", "(core module (type (struct)))"),
    ("gc_i31", "(core module (func (drop (ref.i31 (i32.const 1)))))"),
    (
        "function_references",
        "(core module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))",
    ),
    (
        "typed_select_of_references",
        "(core module (type $t (func)) (func (param (ref null $t)) (drop (ref.as_non_null (local.get 0)))))",
    ),
    ("externref", "(core module (func (param externref)))"),
    ("tail_calls", "(core module (func $f (return_call $f)))"),
    ("indirect_tail_calls", "(core module (table 1 funcref) (func (return_call_indirect (i32.const 0))))"),
    (
        "relaxed_simd",
        "(core module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))",
    ),
    ("custom_page_sizes", "(core module (memory 1 (pagesize 1)))"),
    (
        "wide_arithmetic",
        "(core module (func (param i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 0))))",
    ),
    ("stack_switching", "(core module (type $f (func)) (type $c (cont $f)))"),
    ("futures", "(type (future u8))"),
    ("streams", "(type (stream u8))"),
    ("async_functions", "(type (func async))"),
    ("error_context", "(type error-context)"),
    ("component_maps", "(type (map string u8))"),
    ("fixed_length_lists", "(type (list u8 4))"),
];

fn proposal(field: &str) {
    let component = wat::parse_str(format!("(component {field})")).unwrap();
    // The script tier counts more generously, so that the proposal decides and not a count.
    let refusal = admit(&component, Tier::Script, 64 << 20).unwrap_err();
    assert!(
        matches!(refusal.code(), "COMPONENT_INVALID" | "IMPORT_FORBIDDEN"),
        "{}: {refusal}",
        refusal.code()
    );
    assert!(matches!(compile(&component), Err(CompileError::Invalid(_))), "the compiler takes it");
}

type Fields = (&'static str, fn() -> String);

/// What a cell does not load, had it come past admission: the pool of its engine has no room for it.
const SECOND_WALL: [Fields; 6] = [
    ("sixty_five_core_instances", || {
        "(core module $m) ".to_owned() + &"(core instance (instantiate $m))".repeat(65)
    }),
    ("five_memories", || {
        "(core module $m (memory 0)) ".to_owned() + &"(core instance (instantiate $m))".repeat(5)
    }),
    ("nine_tables", || {
        "(core module $m (table 0 funcref)) ".to_owned() + &"(core instance (instantiate $m))".repeat(9)
    }),
    ("a_table_of_twenty_thousand_and_one", || {
        "(core module $m (table 20001 funcref)) (core instance (instantiate $m))".to_owned()
    }),
    ("a_memory_above_sixty_four_megabytes", || {
        "(core module $m (memory 1025)) (core instance (instantiate $m))".to_owned()
    }),
    ("an_instance_of_megabytes", || {
        let globals = "(global (mut i64) (i64.const 0))".repeat(70_000);
        format!("(core module $m {globals}) (core instance (instantiate $m))")
    }),
];

fn second_wall(fields: &str) {
    let component = good_and(fields);
    assert!(admit(&component, Tier::Native, LIMITS.memory_bytes_max).is_err());
    let artifact = compile(&component).unwrap();
    let refusal = Program::load(&Arc::new(CellEngine::new().unwrap()), &artifact).unwrap_err();
    assert!(matches!(refusal, LoadError::Unfit(_)));
    assert!(refusal.to_string().contains("exceed"), "{refusal}");
}
