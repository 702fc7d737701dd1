//! The contract's own rules: it parses, every item says since when and what it means, and it needs nothing from the host.

#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use std::fmt::Write as _;
use std::path::Path;

use portcullis_sdk::RefusalCode;
use wit_parser::{Docs, Resolve, Stability, TypeDefKind, WorldItem};

fn wit_dir() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit"))
}

#[test]
fn the_contract_is_documented_versioned_and_imports_nothing() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit_dir().join("v0.1")).unwrap();
    let package = &resolve.packages[package];
    assert_eq!(package.name.to_string(), "portcullis:strategy@0.1.0");
    let mut missing = String::new();
    let mut check = |what: &str, docs: &Docs, stability: Option<&Stability>| {
        if docs.contents.is_none() {
            writeln!(missing, "{what} has no documentation").unwrap();
        }
        if let Some(stability) = stability
            && !matches!(stability, Stability::Stable { since, .. } if since.to_string() == "0.1.0")
        {
            writeln!(missing, "{what} has no @since(version = 0.1.0)").unwrap();
        }
    };
    check("package", &package.docs, None);
    for (name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        check(name, &interface.docs, Some(&interface.stability));
        for (name, function) in &interface.functions {
            check(name, &function.docs, Some(&function.stability));
        }
        for (name, ty) in &interface.types {
            let ty = &resolve.types[*ty];
            check(name, &ty.docs, Some(&ty.stability));
            let members: Vec<_> = match &ty.kind {
                TypeDefKind::Record(it) => it.fields.iter().map(|field| (&field.name, &field.docs)).collect(),
                TypeDefKind::Variant(it) => it.cases.iter().map(|case| (&case.name, &case.docs)).collect(),
                TypeDefKind::Enum(it) => it.cases.iter().map(|case| (&case.name, &case.docs)).collect(),
                _ => Vec::new(),
            };
            for (member, docs) in members {
                check(&format!("{name}.{member}"), docs, None);
            }
        }
    }
    assert_eq!(missing, "");

    let world = &resolve.worlds[package.worlds["strategy"]];
    assert!(world.imports.is_empty(), "a strategy imports nothing");
    let exports: Vec<_> = world.exports.values().collect();
    assert!(matches!(exports.as_slice(), [WorldItem::Interface { .. }]), "a strategy exports one interface");
}

#[test]
fn the_refusal_table_and_the_sdk_agree() {
    let table = std::fs::read_to_string(wit_dir().join("refusals.md")).unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let number: u16 = cells.next()?.parse().ok()?;
        Some((number, cells.next()?.trim_matches('`').to_owned()))
    });
    let known = RefusalCode::ALL.iter().map(|code| (code.number(), code.name().to_owned()));
    assert_eq!(rows.collect::<Vec<_>>(), known.collect::<Vec<_>>());
    for code in RefusalCode::ALL {
        assert_eq!(RefusalCode::from_number(code.number()), *code);
    }
    assert_eq!(RefusalCode::from_number(999).to_string(), "REFUSAL_999");
}
