//! What was released of the contract stays as it is, and every part of the host serves the same versions of it.
#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Every released directory of `wit/`, with the digest of what is in it.
const RELEASED: [(&str, &str); 1] =
    [("v0.1", "c85fc59cb1fb1e0bf55f2389209815c27fa68036348243bfe975f89f49b24db2")];

#[test]
fn released_versions_of_the_contract_are_frozen() {
    for (version, pinned) in RELEASED {
        let found = digest(&wit().join(version));
        assert_eq!(
            found, pinned,
            "wit/{version} is released: strategies out there are built against it, and its golden vectors pin every SDK. \
             Leave it as it is and put what is new into a new directory beside it, with bindings in host/cell/src/bindings, a \
             row in host/bundle/src/admission/contract.rs and a row here."
        );
    }
}

#[test]
fn every_directory_of_the_contract_is_pinned() {
    let mut found: Vec<String> = std::fs::read_dir(wit())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, RELEASED.map(|(version, _)| version));
}

#[test]
fn admission_and_cells_serve_every_released_version() {
    let packages: Vec<String> = RELEASED
        .iter()
        .map(|(version, _)| {
            let text = std::fs::read_to_string(wit().join(version).join("strategy.wit")).unwrap();
            let package = text.lines().find_map(|line| line.strip_prefix("package ")).unwrap();
            package.trim_end_matches(';').to_owned()
        })
        .collect();
    assert_eq!(portcullis_bundle::served_worlds().collect::<Vec<_>>(), packages);
    assert_eq!(portcullis_cell::CONTRACTS.to_vec(), packages);
}

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// SHA-256 over the name, length and bytes of every file below `directory`, in the order of their names.
fn digest(directory: &Path) -> String {
    let mut files = Vec::new();
    collect(directory, &mut files);
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let name = file.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&file).unwrap();
        hasher.update(format!("{name}\0{}\0", bytes.len()));
        hasher.update(bytes);
    }
    hex::encode(hasher.finalize())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
