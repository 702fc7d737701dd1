//! The dependency graph is the security argument: these arrows must not exist (ARCHITECTURE.md, invariant 11).

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each package reaches through normal and build dependencies, itself excluded.
fn reach() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(
            ["--locked", "--offline", "--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned),
        )
        .exec()
        .unwrap();
    let names: BTreeMap<_, _> =
        metadata.packages.iter().map(|p| (p.id.clone(), p.name.to_string())).collect();
    let nodes: BTreeMap<_, _> =
        metadata.resolve.as_ref().unwrap().nodes.iter().map(|n| (n.id.clone(), n)).collect();
    let mut reach = BTreeMap::new();
    for id in &metadata.workspace_members {
        let mut seen = BTreeSet::new();
        let mut todo = vec![id.clone()];
        while let Some(at) = todo.pop() {
            for dep in &nodes[&at].deps {
                if dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
                    && seen.insert(dep.pkg.clone())
                {
                    todo.push(dep.pkg.clone());
                }
            }
        }
        reach.insert(names[id].clone(), seen.into_iter().map(|id| names[&id].clone()).collect());
    }
    reach
}

fn assert_absent(reach: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &[&str]) {
    let reached = reach.get(from).unwrap_or_else(|| panic!("no package {from}"));
    for name in to {
        assert!(!reached.contains(*name), "{from} must not reach {name}");
    }
}

#[test]
fn forbidden_arrows_do_not_exist() {
    let reach = reach();
    for from in ["portcullis-cell", "portcullis-bundle"] {
        assert_absent(
            &reach,
            from,
            &[
                "portcullis-wire",
                "portcullis-bybit",
                "portcullis-journal",
                "portcullis-gateway",
                "portcullis-console",
            ],
        );
    }
    assert_absent(
        &reach,
        "portcullis-paper",
        &["portcullis-bybit", "portcullis-journal", "portcullis-gateway"],
    );
    assert_absent(
        &reach,
        "portcullis-gateway",
        &["portcullis-wire", "portcullis-bybit", "portcullis-cell", "wasmtime", "tokio"],
    );
    assert_absent(&reach, "portcullis-journal", &["portcullis-gateway", "tokio", "reqwest"]);
}

#[test]
fn the_core_has_no_io_in_its_tree() {
    let reach = reach();
    let io = [
        "tokio",
        "mio",
        "rustix",
        "libc",
        "reqwest",
        "hyper",
        "rusqlite",
        "wasmtime",
        "tracing",
        "axum",
        "getrandom",
        "rand",
    ];
    assert_absent(&reach, "portcullis-core", &io);
    let ours: Vec<_> =
        reach["portcullis-core"].iter().filter(|name| name.starts_with("portcullis")).collect();
    assert!(ours.is_empty(), "core depends on {ours:?}");
}

#[test]
fn strategies_share_only_the_contract_with_the_host() {
    let reach = reach();
    for from in ["portcullis-sdk", "ema-cross", "market-maker"] {
        let host: Vec<_> = reach[from]
            .iter()
            .filter(|name| name.starts_with("portcullis") && *name != "portcullis-sdk")
            .collect();
        assert!(host.is_empty(), "{from} depends on {host:?}");
    }
}

#[test]
fn every_crate_of_ours_depends_only_on_what_the_map_says() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("core", &[] as &[&str]),
        ("role", &["core"]),
        ("journal", &["core"]),
        ("gateway", &["core", "journal"]),
        ("bundle", &["core"]),
        ("cell", &["core", "role"]),
        ("wire", &["core", "role"]),
        ("bybit", &["core", "journal", "gateway", "role", "wire"]),
        ("paper", &["core", "wire", "role"]),
        ("lab", &["core", "journal", "gateway", "cell", "paper", "role", "wire"]),
        ("console", &["core", "role"]),
    ]);
    let reach = reach();
    for (name, allowed) in allowed {
        for reached in &reach[&format!("portcullis-{name}")] {
            if let Some(short) = reached.strip_prefix("portcullis-") {
                assert!(allowed.contains(&short), "{name} must not depend on {short}");
            }
        }
    }
}

#[test]
fn only_wire_and_cell_name_hmac() {
    // The cell crate's HMAC is the artifact tag (RULES C5); the one over the API secret is wire's alone.
    let users: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let manifest = std::fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
            manifest.lines().any(|line| line.starts_with("hmac"))
        })
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut users = users;
    users.sort();
    assert_eq!(users, ["cell", "wire"]);
}
