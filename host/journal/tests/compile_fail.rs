//! What must not compile: see `tests/compile_fail`.

#![allow(missing_docs, reason = "test code")]

#[test]
fn a_command_that_is_not_journaled_cannot_be_submitted() {
    trybuild::TestCases::new().compile_fail("../../tests/compile_fail/command_*.rs");
}
