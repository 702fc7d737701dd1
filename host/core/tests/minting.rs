//! Each stage of the order path is made in exactly one file (RULES G2).
#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::path::{Path, PathBuf};

/// Source files of this crate that hold the text, relative to `src`.
fn files_with(text: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path).unwrap().contains(text) {
                found.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn approved_commands_come_from_the_review_alone() {
    assert_eq!(files_with("ApprovedCommand::assertion("), [Path::new("review.rs")]);
    // And nothing else can build one: the fields are private to the file that names them.
    assert_eq!(files_with("fn assertion("), [Path::new("command.rs")]);
}

#[test]
fn valid_intents_come_from_validation_alone() {
    assert_eq!(files_with("ValidIntent {"), [Path::new("validate.rs")]);
}
