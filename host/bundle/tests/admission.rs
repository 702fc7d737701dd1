//! Which components are admitted.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod support;

use portcullis_bundle::{
    Inadmissible, StaticLimit, Tier, Upgrade, WASI_INTERFACES, admit, componentise, served_worlds,
};
use proptest::prelude::*;
use support::*;

#[test]
fn a_component_with_the_whole_contract_is_admitted() {
    let component = tiny();
    let admitted = admit(&component, Tier::Native, 1 << 20).unwrap();
    assert_eq!(admitted.component_bytes, component.len() as u64);
    assert_eq!((admitted.functions, admitted.initial_memory_bytes), (12, 0));
    assert_eq!(admitted.world, "portcullis:strategy@0.1.0");
    assert_eq!(served_worlds().collect::<Vec<_>>(), ["portcullis:strategy@0.1.0"]);
}

#[test]
fn what_is_not_a_component_is_named() {
    let module = wat::parse_str("(module)").unwrap();
    assert_eq!(admit_code(&module), Err("CORE_MODULE"));
    assert_eq!(admit_code(b"\n (component)"), Err("TEXT_FORMAT"));
    assert_eq!(admit_code(b";; a comment\n(component)"), Err("TEXT_FORMAT"));
    for native in [
        &b"\x7fELF\x02\x01\x01"[..],
        b"PCARTIF1 and what follows",
        b"\xcf\xfa\xed\xfe",
        b"MZ\x90",
        b"!<arch>\n",
        b"wasmer-universal",
    ] {
        assert_eq!(admit_code(native), Err("PRECOMPILED"));
    }
    for nonsense in [&b""[..], b"PCS1", b"\0asm", b"\0asm\x0c\0\x01\0", b"#!/bin/sh"] {
        assert_eq!(admit_code(nonsense), Err("NOT_WASM"));
    }
}

#[test]
fn a_tier_bounds_the_size() {
    let mut component = tiny();
    component.resize(2 << 20, 0);
    assert_ne!(admit_code(&component), Err("COMPONENT_TOO_LARGE"));
    component.push(0);
    let refusal = admit(&component, Tier::Native, 1 << 20).unwrap_err();
    assert_eq!(refusal, Inadmissible::TooLarge { bytes: 2_097_153, limit: 2_097_152, tier: Tier::Native });
    assert_ne!(admit(&component, Tier::Script, 1 << 20).unwrap_err().code(), "COMPONENT_TOO_LARGE");
}

#[test]
fn any_import_is_refused_by_name() {
    let imports = [
        r#"(import "wasi:clocks/monotonic-clock@0.2.0" (instance))"#,
        r#"(import "host-log" (func))"#,
        r#"(import "a-type" (type (sub resource)))"#,
        r#"(import "a-module" (core module))"#,
        r#"(import "a-component" (component))"#,
    ];
    for import in imports {
        let component = tiny_and(&[import]);
        let refusal = admit(&component, Tier::Native, 1 << 20).unwrap_err();
        let name = import.split('"').nth(1).unwrap();
        assert_eq!(refusal, Inadmissible::Import { names: name.to_owned(), count: 1 });
        assert_eq!(refusal.code(), "IMPORT_FORBIDDEN");
    }
}

#[test]
fn imports_are_named_one_by_one() {
    let imports: String = (0..70).map(|n| format!(r#"(import "i{n}" (func))"#)).collect();
    let refusal = admit(&tiny_and(&[&imports]), Tier::Native, 1 << 20).unwrap_err().to_string();
    for n in 0..64 {
        assert!(
            refusal.contains(&format!("i{n},")) || refusal.contains(&format!("i{n} and")),
            "{n}: {refusal}"
        );
    }
    assert!(refusal.contains("and 6 more (70 in all)"), "{refusal}");
}

#[test]
fn the_contract_must_be_exported_whole() {
    assert_eq!(admit_code(&component_of(&[])), Err("EXPORT_MISSING"));
    // The name alone does not do.
    let function = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f"))) (export "portcullis:strategy/guest@0.1.0" (func $f))"#;
    assert!(wat::parse_str(format!("(component {function})")).is_ok_and(|c| admit_code(&c).is_err()));

    for function in ["describe", "init", "on-frame", "snapshot", "restore"] {
        let renamed = WIT.replace(&format!("  {function}: func("), &format!("  other-{function}: func("));
        assert_ne!(renamed, WIT);
        let refusal = admit(&from_wit(&renamed), Tier::Native, 1 << 20).unwrap_err();
        let expected =
            Inadmissible::FunctionMissing { interface: "portcullis:strategy/guest@0.1.0", function };
        assert_eq!(refusal, expected);
        assert_eq!(refusal.code(), "EXPORT_INCOMPLETE");
    }
}

#[test]
fn a_function_of_another_type_is_refused_at_admission() {
    for (theirs, ours, hint) in [
        ("describe: func() -> string;", "describe: func() -> description;", "result"),
        ("describe: func(why: u32) -> description;", "describe: func() -> description;", "parameter"),
        ("init: func(setup: setup);", "init: func(setup: setup) -> result<_, init-error>;", "result"),
        ("init: func(settings: setup) ->", "init: func(setup: setup) ->", "settings"),
        ("on-frame: func(frame: string) -> outcome;", "on-frame: func(frame: list<u8>) -> outcome;", "frame"),
        ("on-frame: func(frame: list<u16>) -> outcome;", "on-frame: func(frame: list<u8>) -> outcome;", "u8"),
        ("snapshot: func() -> option<list<u8>>;", "snapshot: func() -> list<u8>;", "result"),
        (
            "restore: func(version: u64, bytes: list<u8>)",
            "restore: func(version: u32, bytes: list<u8>)",
            "u32",
        ),
        (
            "restore: func(bytes: list<u8>, version: u32)",
            "restore: func(version: u32, bytes: list<u8>)",
            "version",
        ),
        // Deep inside: a case, a field, an order, a width, a name.
        ("set-alarm(timer),", "set-timer(timer),", ""),
        ("consumed: u64,", "consumed: u32,", ""),
        ("cause: u16,", "cause: u32,", ""),
        ("type price = u64;", "type price = s64;", ""),
        ("record amount {\n    /// More.\n    more: u8,", "record amount {", ""),
        ("sell,\n    /// Twice.\n    both,", "sell,", ""),
        ("post-none,", "post-only,", ""),
        ("value: f32,", "value: f64,", ""),
        ("tag: u32,", "tag: u64,", ""),
    ] {
        let changed = WIT.replace(ours, theirs);
        assert_ne!(changed, WIT, "{ours}");
        let refusal = admit(&from_wit(&changed), Tier::Native, 1 << 20).unwrap_err();
        assert_eq!(refusal.code(), "EXPORT_TYPE", "{theirs}: {refusal}");
        assert!(refusal.to_string().contains(hint), "{theirs}: {refusal}");
        assert!(refusal.to_string().contains("portcullis:strategy/guest@0.1.0"), "{refusal}");
    }
    // Documentation is not a type.
    assert_eq!(admit_code(&from_wit(&WIT.replace("/// Buy or sell.", "/// Either."))), Ok(()));
}

#[test]
fn another_version_of_the_contract_says_which_side_to_upgrade() {
    for (version, expected, words) in [
        ("0.0.9", Upgrade::Strategy, "rebuild it with a newer SDK"),
        ("0.1.0-rc.1", Upgrade::Strategy, "rebuild it with a newer SDK"),
        ("0.1.1", Upgrade::Host, "upgrade the host"),
        ("0.2.0", Upgrade::Host, "upgrade the host"),
        ("1.0.0", Upgrade::Host, "upgrade the host"),
    ] {
        let wit = WIT.replace("portcullis:strategy@0.1.0", &format!("portcullis:strategy@{version}"));
        let wit = wit.replace("@since(version = 0.1.0)", "");
        let refusal = admit(&from_wit(&wit), Tier::Native, 1 << 20).unwrap_err();
        let Inadmissible::WorldVersion { upgrade, .. } = &refusal else {
            panic!("{version}: {refusal}");
        };
        assert_eq!(*upgrade, expected, "{version}");
        let text = refusal.to_string();
        assert!(text.contains(version) && text.contains("portcullis:strategy@0.1.0"), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_nested_component_may_not_hold_code() {
    let harmless = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (component $n (import "f" (func $f)) (export "g" (func $f)))
        (instance $ni (instantiate $n (with "f" (func $f))))"#;
    assert_eq!(admit_code(&tiny_and(&[harmless])), Ok(()));
    let with_code = "(component (core module (func)))";
    assert_eq!(admit_code(&tiny_and(&[with_code])), Err("NESTED_CORE_MODULE"));
    let deeper = "(component (component (core module (func))))";
    assert_eq!(admit_code(&tiny_and(&[deeper])), Err("NESTED_CORE_MODULE"));
    // Nor may it get at the outermost component's modules.
    for way in [
        "(core module $code) (component (alias outer 1 $code (core module)))",
        "(core module $code) (component $n (import \"m\" (core module $m)) (core instance (instantiate $m)))
            (instance (instantiate $n (with \"m\" (core module $code))))",
        "(core module $code) (component $n (import \"m\" (core module $m)) (export \"m\" (core module $m)))
            (instance $ni (instantiate $n (with \"m\" (core module $code))))
            (alias export $ni \"m\" (core module $again)) (core instance (instantiate $again))",
    ] {
        assert_eq!(admit_code(&tiny_and(&[way])), Err("NESTED_CORE_MODULE"), "{way}");
    }
}

#[test]
fn a_module_instantiated_again_counts_again() {
    for (module, code) in [
        ("(memory 1)", "TOO_MANY_MEMORIES"),
        ("(table 0 funcref)", "TOO_MANY_TABLES"),
        ("(table 15000 funcref)", "TOO_MANY_TABLE_ELEMENTS"),
    ] {
        let module = format!("(core module $twice {module})");
        let again = "(core instance (instantiate $twice))";
        assert_eq!(admit_code(&tiny_and(&[&module, again])).err(), None, "{code}");
        assert_eq!(admit_code(&tiny_and(&[&module, &again.repeat(3)])), Err(code));
    }
}

#[test]
fn proposals_beyond_the_set_are_refused() {
    let modules = [
        ("threads", "(memory 1 1 shared)"),
        ("atomics", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))"),
        ("memory64", "(memory i64 1)"),
        ("multi-memory", "(memory 1) (memory 1)"),
        ("exceptions", "(tag)"),
        ("gc", "(type (struct))"),
        ("function references", "(type $t (func)) (func (param (ref $t)))"),
        ("externref", "(func (param externref))"),
        ("tail calls", "(func $f (return_call $f))"),
        (
            "relaxed simd",
            "(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
        ),
        ("custom page sizes", "(memory 1 (pagesize 1))"),
        ("wide arithmetic", "(func (param i64) (result i64 i64) local.get 0 local.get 0 i64.mul_wide_s)"),
    ];
    for (proposal, module) in modules {
        let component = tiny_and(&["(core module ", module, ")"]);
        // The script tier counts more generously, so that the proposal and not a count decides.
        let code = admit(&component, Tier::Script, 1 << 20).map_err(|refusal| refusal.code());
        assert_eq!(code.err(), Some("COMPONENT_INVALID"), "{proposal}");
    }
    let asynchronous = r#"(type (future))"#;
    assert_eq!(admit_code(&tiny_and(&[asynchronous])), Err("COMPONENT_INVALID"));
}

#[test]
fn what_current_compilers_emit_is_taken() {
    let modules = [
        "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(func (result i32 i32) i32.const 1 i32.const 2)",
        "(func (param f64) (result i64) local.get 0 i64.trunc_sat_f64_s)",
        "(func (param i32) (result i32) local.get 0 i32.extend8_s)",
        "(global (mut i32) (i32.add (i32.const 1) (i32.const 2)))",
        "(table 1 funcref) (func (drop (table.get (i32.const 0))))",
        "(func (drop (i32x4.add (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
    ];
    for module in modules {
        let component = tiny_and(&["(core module ", module, ")"]);
        assert_eq!(admit_code(&component), Ok(()), "{module}");
    }
}

#[test]
fn an_invalid_body_is_refused() {
    let component = tiny_and(&["(core module (func i32.add drop))"]);
    assert_eq!(admit_code(&component), Err("COMPONENT_INVALID"));
}

/// A core module whose figure for `limit` is `amount`.
fn module_with(limit: StaticLimit, amount: u64) -> String {
    let amount = usize::try_from(amount).unwrap();
    let repeat = |text: &str| text.repeat(amount);
    let body = match limit {
        StaticLimit::Memories => return "(core module (memory 0))".repeat(amount),
        StaticLimit::Modules => return "(core module)".repeat(amount),
        StaticLimit::Components => return "(component)".repeat(amount),
        StaticLimit::Instances => return "(instance)".repeat(amount),
        StaticLimit::ComponentItems => return "(type u8)".repeat(amount),
        StaticLimit::InitialMemory => format!("(memory {})", amount.div_ceil(65_536)),
        StaticLimit::Tables => repeat("(table 0 funcref)"),
        StaticLimit::TableElements => format!("(table {amount} funcref)"),
        StaticLimit::CoreImports => repeat(r#"(import "a" "b" (func))"#),
        StaticLimit::CoreExports => {
            let exports: String = (0..amount).map(|n| format!(r#"(export "e{n}" (func 0))"#)).collect();
            format!("(func) {exports}")
        }
        StaticLimit::FunctionTypes => repeat("(type (func))"),
        StaticLimit::Functions => repeat("(func)"),
        StaticLimit::FunctionParams => format!("(type (func (param {})))", repeat("i32 ")),
        StaticLimit::FunctionResults => format!("(type (func (result {})))", repeat("i32 ")),
        StaticLimit::TotalParams => {
            let params = "i32 ".repeat(50);
            format!("(type $t (func (param {params}))) {}", "(func (type $t))".repeat(amount.div_ceil(50)))
        }
        StaticLimit::FunctionLocals => format!("(func (local {}))", repeat("i32 ")),
        StaticLimit::TotalLocals => {
            let locals = "i32 ".repeat(4_000);
            format!("(func (local {locals}))").repeat(amount.div_ceil(4_000))
        }
        StaticLimit::FunctionBytes => format!("(func {})", repeat("nop ")),
        StaticLimit::Globals => repeat("(global i32 (i32.const 0))"),
        StaticLimit::DataSegments => repeat(r#"(data "")"#),
        StaticLimit::ElementSegments => repeat("(elem func)"),
    };
    format!("(core module {body})")
}

#[test]
fn every_static_limit_is_enforced() {
    for &limit in StaticLimit::ALL {
        let max = limit.max(Tier::Native);
        let beyond = tiny_and(&[&module_with(limit, max + 1)]);
        let refusal = admit(&beyond, Tier::Native, u64::MAX).unwrap_err();
        assert_eq!(refusal.code(), limit.code(), "{refusal}");
        let Inadmissible::Limit { what, actual, limit: named } = refusal else { panic!("{refusal}") };
        assert!(what == limit && actual > max && named == max);

        // A quarter of the limit leaves room for what the rest of the component counts.
        let within = tiny_and(&[&module_with(limit, max / 4)]);
        assert_ne!(admit_code(&within), Err(limit.code()));
    }
}

#[test]
fn figures_add_up_over_modules() {
    let half = module_with(StaticLimit::Globals, StaticLimit::Globals.max(Tier::Native) / 2 + 1);
    let component = tiny_and(&[&half, &half]);
    assert_eq!(admit_code(&component), Err("TOO_MANY_GLOBALS"));
}

#[test]
fn the_manifest_bounds_the_memory_at_the_start() {
    let component = tiny_and(&["(core module (memory 3))"]);
    assert!(admit(&component, Tier::Native, 3 << 16).is_ok());
    let refusal = admit(&component, Tier::Native, (3 << 16) - 1).unwrap_err();
    assert_eq!(refusal.code(), "INITIAL_MEMORY_ABOVE_MANIFEST");
}

#[test]
fn every_code_has_a_way_out() {
    let refusals = [
        Inadmissible::CoreModule,
        Inadmissible::NestedCoreModule,
        Inadmissible::Limit { what: StaticLimit::Functions, actual: 2, limit: 1 },
    ];
    for refusal in refusals {
        assert!(!refusal.fix().is_empty());
        assert!(refusal.code().bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    }
}

#[test]
fn a_module_without_a_contract_does_not_become_a_strategy() {
    let module = wat::parse_str(r#"(module (func (export "f")))"#).unwrap();
    if let Ok(component) = componentise(&module) {
        assert_eq!(admit_code(&component), Err("EXPORT_MISSING"));
    }
    assert_eq!(componentise(b"not wasm").unwrap_err().code(), "NOT_A_STRATEGY");
}

proptest! {
    #[test]
    fn damaged_components_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut component = tiny();
        for (place, value) in changes {
            let place = place.index(component.len());
            component[place] = value;
        }
        let _verdict = admit_code(&component);
    }

    #[test]
    fn arbitrary_sections_never_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        component.extend_from_slice(&tail);
        prop_assert!(admit_code(&component).is_err());
    }
}

/// A component that imports `name` and is complete otherwise.
fn importing(names: &[&str]) -> Vec<u8> {
    let imports: String = names.iter().map(|name| format!("(import \"{name}\" (instance))")).collect();
    tiny_and(&[&imports])
}

#[test]
fn the_wasi_tier_may_import_a_fixed_set_and_nothing_beside_it() {
    let all: Vec<String> = WASI_INTERFACES.iter().map(|name| format!("{name}@0.2.6")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert!(admit(&importing(&all), Tier::Wasi, 1 << 20).is_ok());
    assert!(admit(&importing(&[]), Tier::Wasi, 1 << 20).is_ok());
    for other in [
        "wasi:filesystem/types@0.2.6",
        "wasi:filesystem/preopens@0.2.6",
        "wasi:sockets/tcp@0.2.6",
        "wasi:http/outgoing-handler@0.2.6",
        "wasi:cli/run@0.2.6",
        "wasi:clocks/wall-clock@0.3.0",
        "wasi:clocks/wall-clock@0.2.0-rc-2023",
        "wasi:clocks/wall-clock",
        "portcullis:strategy/host@0.1.0",
    ] {
        let refusal =
            admit(&importing(&["wasi:random/random@0.2.6", other]), Tier::Wasi, 1 << 20).unwrap_err();
        assert_eq!(refusal, Inadmissible::Import { names: other.to_owned(), count: 1 });
    }
    for tier in [Tier::Native, Tier::Script] {
        let refusal = admit(&importing(&["wasi:random/random@0.2.6"]), tier, 1 << 20).unwrap_err();
        assert_eq!(refusal.code(), "IMPORT_FORBIDDEN", "{tier}");
    }
}

#[test]
fn an_allowed_name_on_something_else_than_an_interface_is_refused() {
    for kind in ["(func)", "(core module)", "(component)"] {
        let import = format!(r#"(import "wasi:random/random@0.2.6" {kind})"#);
        let refusal = admit(&tiny_and(&[&import]), Tier::Wasi, 1 << 20).unwrap_err();
        assert_eq!(refusal.code(), "IMPORT_FORBIDDEN", "{kind}");
    }
}

#[test]
fn a_forbidden_import_does_not_hide_behind_allowed_ones() {
    // More names than the walk keeps: the last one is looked at all the same.
    let mut names: Vec<String> = (0..80).map(|patch| format!("wasi:io/error@0.2.{patch}")).collect();
    names.push("wasi:filesystem/types@0.2.6".to_owned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refusal = admit(&importing(&names), Tier::Wasi, 1 << 20).unwrap_err();
    assert_eq!(refusal.code(), "IMPORT_FORBIDDEN");
}
