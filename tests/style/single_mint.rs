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

/// Files of the host that hold a struct literal of `name`, other than in a pattern of its own methods.
fn minting_files(name: &str) -> Vec<String> {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for krate in std::fs::read_dir(&host).unwrap() {
        let src = krate.unwrap().path().join("src");
        if src.is_dir() {
            sources(&src, &mut files);
        }
    }
    let literal = format!("{name} {{");
    let mut minting: Vec<String> = files
        .iter()
        .filter(|path| {
            std::fs::read_to_string(path).unwrap().lines().map(str::trim_start).any(|line| {
                line.contains(&literal)
                    && !line.starts_with("//")
                    && !["struct ", "impl ", "for ", "enum "]
                        .iter()
                        .any(|word| line.contains(&format!("{word}{literal}")))
                    && !line.contains(&format!("-> {literal}"))
            })
        })
        .map(|path| path.strip_prefix(&host).unwrap().display().to_string())
        .collect();
    minting.sort();
    minting
}

#[test]
fn each_stage_is_minted_in_one_file() {
    for (stage, file) in [
        ("ValidIntent", "core/src/validate.rs"),
        ("ApprovedCommand", "core/src/review.rs"),
        ("JournaledCommand", "journal/src/commit.rs"),
    ] {
        assert_eq!(minting_files(stage), [file], "{stage}");
    }
}

#[test]
fn stages_cannot_be_copied_or_read_back() {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (stage, file) in [
        ("ValidIntent", "core/src/validate.rs"),
        ("ApprovedCommand", "core/src/review.rs"),
        ("JournaledCommand", "journal/src/commit.rs"),
    ] {
        let text = std::fs::read_to_string(host.join(file)).unwrap();
        let at = text
            .find(&format!("pub struct {stage}"))
            .unwrap_or_else(|| panic!("{stage} is not defined in {file}"));
        let attributes = text[..at].rsplit("\n\n").next().unwrap();
        for word in ["Clone", "Copy", "Default", "Deserialize"] {
            assert!(!attributes.contains(word), "{stage} derives {word}");
        }
    }
}
