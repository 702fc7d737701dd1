//! The tape gives back what was put on it, or says that it is missing.

use portcullis_core::{Digest, Sequence, StrategyId};
use sha2::Digest as _;

use crate::{Tape, TapeError, read_tape, retain_tapes};

fn frame(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(20)
}

fn filled(directory: &std::path::Path, session: u64, frames: u64) -> Tape {
    let mut tape = Tape::create(directory, Sequence(session), StrategyId(3)).unwrap();
    for number in 0..frames {
        assert_eq!(tape.append(&frame(number), &number.to_le_bytes()).unwrap(), None);
    }
    tape
}

fn numbers(tape: &mut Tape, from: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    tape.replay(from, &mut |found| {
        assert_eq!(
            (found.frame, found.outcome),
            (frame(found.number).as_slice(), &found.number.to_le_bytes()[..])
        );
        numbers.push(found.number);
    })
    .unwrap();
    numbers
}

#[test]
fn frames_since_a_number_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut tape = filled(directory.path(), 9, 5_000);
    assert_eq!(numbers(&mut tape, 4_990), (4_990..5_000).collect::<Vec<_>>());
    assert_eq!(numbers(&mut tape, 0).len(), 5_000);
    assert_eq!(numbers(&mut tape, 5_000), []);
    tape.append(&frame(5_000), &5_000_u64.to_le_bytes()).unwrap();
    assert_eq!(numbers(&mut tape, 4_999), [4_999, 5_000]);
}

#[test]
fn a_closed_tape_is_known_by_its_hash() {
    let directory = tempfile::tempdir().unwrap();
    let closed = filled(directory.path(), 9, 100).close().unwrap();
    let bytes = std::fs::read(directory.path().join("tape").join(&closed.name)).unwrap();
    assert_eq!(closed.digest, Digest(sha2::Sha256::digest(&bytes).into()));
    assert_eq!((closed.first, closed.frames, closed.bytes), (0, 100, bytes.len() as u64));
}

#[test]
fn a_torn_end_is_missing_and_a_changed_byte_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let mut tape = filled(directory.path(), 9, 10);
    numbers(&mut tape, 0);
    let closed = tape.close().unwrap();
    let path = directory.path().join("tape").join(&closed.name);
    let whole = std::fs::read(&path).unwrap();
    let read = || {
        let mut frames = 0;
        read_tape(&path, &mut |_| frames += 1).map(|()| frames)
    };
    assert_eq!(read().unwrap(), 10);
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(read().unwrap(), 0);
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &changed).unwrap();
    assert!(matches!(read(), Err(TapeError::Malformed { offset: 32, .. })));
    std::fs::write(&path, b"not a tape").unwrap();
    assert!(matches!(read(), Err(TapeError::Malformed { offset: 0, .. })));
}

#[test]
fn the_oldest_tapes_go_first_and_never_the_running_session() {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<_> =
        [1, 20, 300].map(|session| filled(directory.path(), session, 50).close().unwrap().name).into();
    assert!(retain_tapes(directory.path(), u64::MAX, Sequence(300)).unwrap().is_empty());
    assert_eq!(retain_tapes(directory.path(), 0, Sequence(300)).unwrap(), names[..2]);
}
