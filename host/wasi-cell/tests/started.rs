//! The binary by itself.
#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use std::process::Command;

#[test]
fn it_is_started_by_the_runner_and_by_nobody_else() {
    for (arguments, code, words) in [
        (&[][..], 2, "started by `portcullis runner`"),
        (&["runner"][..], 2, "one role, `cell`"),
        // The limits are there, and nothing was handed over.
        (&["cell", "name", "1048576", "1", "1", "1", "1"][..], 3, "started by portcullis itself"),
    ] {
        let binary = env!("CARGO_BIN_EXE_portcullis-wasi-cell");
        let output = Command::new(binary).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
