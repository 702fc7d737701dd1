//! What is built into the binary that operators run, as cargo resolves it for that package alone.
#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use std::path::Path;
use std::process::Command;

/// The features and packages that a package's normal dependencies bring along.
fn tree(package: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--prefix",
            "none",
            "--edges",
            "normal,features",
            "--package",
            package,
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn has(tree: &str, line: &str) -> bool {
    tree.lines().any(|found| found.starts_with(line))
}

#[test]
fn portcullis_has_no_wasi_and_none_of_wasmtimes_async_code() {
    let (shipped, apart) = (tree("portcullis"), tree("portcullis-wasi-cell"));
    assert!(has(&shipped, "wasmtime v") && has(&apart, "wasmtime v"));
    // The other binary shows that the words looked for are the right ones.
    for word in ["wasmtime-wasi v", "wasmtime feature \"async\""] {
        assert!(has(&apart, word), "{word}");
        assert!(!has(&shipped, word), "{word}");
    }
    for word in ["wasmtime-fiber", "wasmtime-internal-fiber v"] {
        assert!(!has(&shipped, word), "{word}");
    }
}
