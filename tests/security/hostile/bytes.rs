//! What is no component: other formats, damaged files, sections that lie.

use libtest_mimic::Trial;
use portcullis_bundle::{Tier, admit};
use portcullis_cell::{CompileError, compile};

use crate::common::{LIMITS, Source, artifact};
use crate::expect::{Case, Expect, assert_refusal, good, good_and};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = cases().into_iter().map(Case::trial).collect();
    let trial = |name: &str, check: fn()| {
        Trial::test(name, move || {
            check();
            Ok(())
        })
    };
    trials.extend([
        trial("bytes::truncated_at_every_length", truncated),
        trial("bytes::precompiled_by_our_own_compiler", precompiled),
        trial("bytes::every_section_length_a_lie", lying_sections),
    ]);
    trials
}

fn cases() -> Vec<Case> {
    let refused = |name: &str, bytes: &[u8], code| {
        Case::bytes(format!("bytes::{name}"), bytes.to_vec(), Expect::Refused(code, ""))
    };
    let module = wat::parse_str("(module (memory 1) (func (export \"on-frame\")))").unwrap();
    let preview1 =
        wat::parse_str(r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))"#)
            .unwrap();
    let mut trailing = good();
    trailing.extend_from_slice(b"\xff\xff\xff\xff");
    let mut twice = good();
    twice.extend_from_slice(&good());
    let mut grown = good();
    grown.resize((2 << 20) + 1, 0);
    vec![
        refused("empty", b"", "NOT_WASM"),
        refused("text_format", b"(component)", "TEXT_FORMAT"),
        refused("text_format_behind_a_comment", b"  ;; hello\n(component)", "TEXT_FORMAT"),
        refused("core_module", &module, "CORE_MODULE"),
        refused("core_module_of_wasi_preview1", &preview1, "CORE_MODULE"),
        refused("unknown_version", b"\0asm\x0e\0\x01\0", "NOT_WASM"),
        refused("unknown_layer", b"\0asm\x0d\0\x02\0", "NOT_WASM"),
        refused("elf", b"\x7fELF\x02\x01\x01\0\0\0\0\0", "PRECOMPILED"),
        refused("mach_o", b"\xcf\xfa\xed\xfe\x07\0\0\x01", "PRECOMPILED"),
        refused("pe", b"MZ\x90\0\x03\0\0\0", "PRECOMPILED"),
        refused("static_library", b"!<arch>\nx.o/", "PRECOMPILED"),
        refused("artifact_of_a_host", b"PCARTIF1", "PRECOMPILED"),
        refused("artifact_of_wasmer", b"wasmer-universal", "PRECOMPILED"),
        refused("shell_script", b"#!/bin/sh\nrm -rf /", "NOT_WASM"),
        refused("header_alone", b"\0asm\x0d\0\x01\0", "EXPORT_MISSING"),
        refused("trailing_bytes", &trailing, "COMPONENT_INVALID"),
        refused("two_files_in_one", &twice, "COMPONENT_INVALID"),
        refused("zeroes_up_to_two_megabytes", &grown, "COMPONENT_TOO_LARGE"),
        // Known sections with a count of four billion, and one that is longer than the file.
        refused(
            "a_vector_of_four_billion",
            b"\0asm\x0d\0\x01\0\x07\x05\xff\xff\xff\xff\x0f",
            "TOO_MANY_COMPONENT_ITEMS",
        ),
        refused(
            "a_section_of_four_gigabytes",
            b"\0asm\x0d\0\x01\0\x07\xff\xff\xff\xff\x0f",
            "COMPONENT_INVALID",
        ),
        refused("an_unknown_section", b"\0asm\x0d\0\x01\0\x7f\x01\0", "COMPONENT_INVALID"),
        refused(
            "a_length_that_never_ends",
            b"\0asm\x0d\0\x01\0\x07\x80\x80\x80\x80\x80\x80\x80",
            "COMPONENT_INVALID",
        ),
        Case::lazy(
            "bytes::a_custom_section_of_a_megabyte",
            || good_and(&format!("(@custom \"x\" \"{}\")", "a".repeat(1 << 20))),
            Expect::Harmless(|_| {}),
        ),
        Case::lazy(
            "bytes::an_export_that_draws_on_the_terminal",
            || {
                // The name is changed in the binary, since no text format would take it.
                let mut component = wat::parse_str(r#"(component (import "aaaaaaaa" (func)))"#).unwrap();
                let at = component.windows(8).position(|bytes| bytes == b"aaaaaaaa").unwrap();
                component[at..at + 8].copy_from_slice(b"\x1b[2J\x07\n\rx");
                component
            },
            Expect::Refused("IMPORT_FORBIDDEN", "\\u{1b}[2J"),
        ),
    ]
}

fn truncated() {
    const CUSTOM_SECTION: u8 = 0;
    let whole = good();
    let mut admitted = 0;
    for length in 0..whole.len() {
        match admit(&whole[..length], Tier::Native, LIMITS.memory_bytes_max) {
            Err(refusal) => assert_refusal(&refusal),
            // Only what says who made it may be missing: the strategy is the same.
            Ok(_) => {
                assert_eq!(whole[length], CUSTOM_SECTION, "{length} of {}", whole.len());
                admitted += 1;
            }
        }
    }
    assert!(admitted <= 2, "{admitted}");
}

fn precompiled() {
    // Behind our own header stands what wasmtime would take for its own.
    let artifact = artifact(&Source::default());
    for native in [artifact.bytes(), &artifact.bytes()[72..]] {
        assert_eq!(admit(native, Tier::Native, LIMITS.memory_bytes_max).unwrap_err().code(), "PRECOMPILED");
    }
    // The compiler does not rely on admission.
    assert!(matches!(compile(&artifact.bytes()[72..]), Err(CompileError::Precompiled)));
}

/// The length of every section of the outermost component one more, one less, zero and huge.
fn lying_sections() {
    let whole = good();
    let mut at = 8;
    while at < whole.len() {
        let (length, bytes) = leb(&whole[at + 1..]);
        for lie in [0, length.wrapping_sub(1), length + 1, 0x0fff_ffff] {
            let mut changed = whole[..=at].to_vec();
            changed.extend_from_slice(&to_leb(lie));
            changed.extend_from_slice(&whole[at + 1 + bytes..]);
            // A custom section may have any length that leaves the rest whole; what is admitted must then still be a strategy.
            if let Err(refusal) = admit(&changed, Tier::Native, LIMITS.memory_bytes_max) {
                assert_refusal(&refusal);
            }
        }
        at += 1 + bytes + length as usize;
    }
}

fn leb(bytes: &[u8]) -> (u32, usize) {
    let (mut value, mut shift, mut read) = (0, 0, 0);
    for byte in bytes {
        value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        read += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (value, read)
}

fn to_leb(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
