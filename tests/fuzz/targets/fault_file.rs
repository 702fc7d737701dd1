//! The evidence of a fault, which somebody may have got from anybody.

use portcullis_cell::{
    BACKTRACE_FRAMES_MAX, CellLimits, FAULT_DETAIL_BYTES_MAX, FaultFile, FaultedCall, MemoryUse, PastFrame,
    Setup, Snapshot,
};
use portcullis_core::{Amount, Digest, FaultCode, Timestamp};
use sha2::{Digest as _, Sha256};

use super::actions::instrument;
use super::messages::shown;

/// Bytes before the body: magic and version, then the digest of the body.
const HEAD: &[u8] = b"PCFAULT\0\x01\0";
const DIGEST_BYTES: usize = 32;

/// Bodies, because a changed one has another digest and would stop at it.
pub fn seeds() -> Vec<Vec<u8>> {
    let calls = [
        FaultedCall::Revival,
        FaultedCall::Frame { frame: vec![7; 48], timers: vec![(1, Timestamp(9))] },
        FaultedCall::Snapshot,
        FaultedCall::None,
    ];
    calls.map(|call| file(call).encode().unwrap().split_off(HEAD.len() + DIGEST_BYTES)).to_vec()
}

fn file(call: FaultedCall) -> FaultFile {
    FaultFile {
        strategy: "tiny".parse().unwrap(),
        at: Timestamp(1_764_000_000_000_000_000),
        software: "0.1.0".to_owned(),
        bundle: Digest([1; 32]),
        component: Digest([2; 32]),
        engine: Digest([3; 32]),
        limits: CellLimits {
            memory_bytes_max: 1 << 20,
            fuel_per_event: 1_000,
            deadline_ms: 20,
            actions_per_event_max: 4,
            log_bytes_max: 100,
        },
        setup: Setup {
            parameters: vec![("length".to_owned(), "3".to_owned())],
            instruments: vec![instrument()],
            budget: Amount(1_000),
            start_time: Timestamp(5),
        },
        code: FaultCode::Trap,
        detail: "unreachable".to_owned(),
        backtrace: vec!["on_trade".to_owned()],
        fuel_charged: 9,
        memory: MemoryUse { bytes: 1 << 20, asked_bytes: None },
        snapshot: Some(Snapshot { version: 1, bytes: vec![5; 12] }),
        frames: vec![PastFrame { frame: vec![7; 24], outcome: Digest([4; 32]) }],
        frames_left_out: 0,
        call,
    }
}

/// What is taken says the same when it is written again, and nothing in it can act on a terminal.
pub fn run(input: &[u8]) -> bool {
    // As it came, it is a file by chance alone.
    assert!(FaultFile::decode(input).is_err());
    let digest: [u8; DIGEST_BYTES] = Sha256::digest(input).into();
    let sealed = [HEAD, &digest, input].concat();
    let Ok(mut taken) = FaultFile::decode(&sealed) else { return false };
    assert!(taken.limits.checked().is_ok());
    assert!(taken.detail.len() <= FAULT_DETAIL_BYTES_MAX && taken.backtrace.len() <= BACKTRACE_FRAMES_MAX);
    taken.backtrace.iter().chain([&taken.detail, &taken.software]).for_each(|text| shown(text));
    let before = taken.clone();
    let again = FaultFile::decode(&taken.encode().unwrap()).expect("it was taken once");
    assert_eq!(again, before);
    true
}
