//! Every stage type of the order path is constructed in exactly one file (ARCHITECTURE.md, invariant 12).

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Files of the host whose code holds `needle`, other than as the head of a type, an implementation or a function.
fn files_with(needle: &str) -> Vec<String> {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for krate in std::fs::read_dir(&host).unwrap() {
        let src = krate.unwrap().path().join("src");
        if src.is_dir() {
            sources(&src, &mut files);
        }
    }
    let head = |line: &str| {
        let named = ["struct ", "impl ", "for ", "enum ", "-> "]
            .iter()
            .any(|word| line.contains(&format!("{word}{needle}")));
        named || line.starts_with("//")
    };
    let mut found: Vec<String> = files
        .iter()
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().map(str::trim_start).any(|line| line.contains(needle) && !head(line))
        })
        .map(|path| path.strip_prefix(&host).unwrap().display().to_string())
        .collect();
    found.sort();
    found
}

#[test]
fn each_stage_is_minted_in_one_file() {
    for (mint, file) in [
        ("ValidIntent {", "core/src/validate.rs"),
        ("ApprovedCommand::assertion(", "core/src/review.rs"),
        ("JournaledCommand {", "journal/src/journaled.rs"),
    ] {
        assert_eq!(files_with(mint), [file], "{mint}");
    }
}

#[test]
fn stages_cannot_be_copied_or_read_back() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (stage, file) in [
        ("ValidIntent", "core/src/validate.rs"),
        ("ApprovedCommand", "core/src/command.rs"),
        ("JournaledCommand", "journal/src/journaled.rs"),
    ] {
        let text = std::fs::read_to_string(host.join(file)).unwrap();
        let at = text
            .find(&format!("struct {stage} "))
            .unwrap_or_else(|| panic!("{stage} is not defined in {file}"));
        let attributes = text[..at].rsplit("\n\n").next().unwrap();
        let derives: Vec<&str> = attributes.lines().filter(|line| line.starts_with("#[derive")).collect();
        for word in ["Clone", "Copy", "Default", "Deserialize"] {
            assert!(!derives.iter().any(|line| line.contains(word)), "{stage} derives {word}");
        }
    }
}
