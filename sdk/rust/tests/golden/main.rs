//! Pins the frame format and the stop rule with the files of `wit/v0.1/golden/`.
//!
//! `PORTCULLIS_UPDATE_GOLDEN=1 cargo test -p portcullis-sdk --test golden` writes the frames anew. A difference in a committed file is a change
//! of the format, which a released version does not allow.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

mod cases;
mod json;
mod stop_rule;

use std::path::{Path, PathBuf};

use portcullis_sdk::testing::{self, Driver};
use portcullis_sdk::{Description, InitError, Setup, Strategy};

fn golden(file: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.1/golden")).join(file)
}

/// A strategy that sees everything and does nothing.
struct Idle;

impl Strategy for Idle {
    fn describe() -> Description {
        Description::new("idle", "0.1.0")
    }

    fn new(_setup: &Setup) -> Result<Self, InitError> {
        Ok(Self)
    }
}

fn idle() -> Driver<Idle> {
    let instruments = [testing::instrument("linear:BTCUSDT"), testing::instrument("linear:ETHUSDT")];
    Driver::new(&testing::setup::<Idle>(&instruments, &[]).unwrap()).unwrap()
}

#[test]
fn frames_are_the_committed_bytes_and_read_as_the_committed_json() {
    #[expect(
        clippy::disallowed_methods,
        reason = "rewriting the files is a choice of the one who runs the test"
    )]
    let update = std::env::var("PORTCULLIS_UPDATE_GOLDEN").is_ok();
    for (name, bytes) in cases::all() {
        let (frame_file, json_file) = (golden(&format!("{name}.frame")), golden(&format!("{name}.json")));
        let text = format!("{:#}\n", json::frame(&bytes));
        if update {
            std::fs::write(&frame_file, &bytes).unwrap();
            std::fs::write(&json_file, &text).unwrap();
        }
        assert_eq!(std::fs::read(&frame_file).unwrap(), bytes, "{name}.frame");
        assert_eq!(std::fs::read_to_string(&json_file).unwrap(), text, "{name}.json");
    }
}

#[test]
fn no_golden_file_is_left_over() {
    let known: Vec<_> = cases::all().into_iter().map(|(name, _)| name).collect();
    for entry in std::fs::read_dir(golden("")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            known.contains(&stem.as_str()) || stem == "stop-rule",
            "{} belongs to no case",
            path.display()
        );
    }
}

#[test]
fn unknown_kinds_are_skipped_counted_and_consumed() {
    let mut driver = idle();
    let outcome = driver.on_frame(&std::fs::read(golden("unknown-kind.frame")).unwrap()).unwrap();
    assert_eq!((outcome.consumed, driver.skipped()), (3, 1));
}

#[test]
fn damaged_frames_are_errors_and_never_panics() {
    for (name, bytes) in cases::all() {
        for length in 0..bytes.len() {
            assert!(idle().on_frame(&bytes[..length]).is_err(), "{name} cut at {length}");
        }
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                // Many flips give another well-formed frame; all that counts is that each gives an answer.
                let _answer = idle().on_frame(&damaged);
            }
        }
    }
}
