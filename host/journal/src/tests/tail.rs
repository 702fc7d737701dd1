//! Reading behind a live writer.

use portcullis_core::Sequence;

use super::{append, body, filled};
use crate::{FaultCause, JournalError, Storage, Tail};

#[test]
fn entries_come_in_order_from_any_sequence_on() {
    let (disk, log) = filled(40);
    assert!(disk.segments().unwrap().len() > 3);
    for from in 0..=40 {
        let read: Vec<_> = Tail::new(disk.clone(), Sequence(from), false).map(Result::unwrap).collect();
        let expected: Vec<_> = (from..40).collect();
        assert_eq!(read.iter().map(|stored| stored.entry.sequence.0).collect::<Vec<_>>(), expected);
        assert!(read.iter().all(|stored| *stored.entry.body == body(stored.entry.sequence.0)));
        assert!(read.last().is_none_or(|stored| stored.leaf == log.head().1));
    }
}

#[test]
fn it_goes_on_where_it_ended() {
    let (disk, mut log) = filled(0);
    let mut tail = Tail::new(disk, Sequence(0), false);
    let mut read = 0;
    for number in 0..60 {
        append(&mut log, &body(number)).unwrap();
        if number % 7 == 0 {
            assert!(tail.next().is_none(), "nothing was written yet");
            log.flush().unwrap();
            read += tail.by_ref().map(Result::unwrap).count();
            assert_eq!(read as u64, number + 1);
        }
    }
}

#[test]
fn following_waits_for_the_writer() {
    let (disk, mut log) = filled(1);
    let reader = std::thread::spawn(move || {
        Tail::new(disk, Sequence(0), true)
            .take(30)
            .map(|stored| stored.unwrap().entry.sequence.0)
            .collect::<Vec<_>>()
    });
    for number in 1..30 {
        append(&mut log, &body(number)).unwrap();
        log.flush().unwrap();
    }
    assert_eq!(reader.join().unwrap(), (0..30).collect::<Vec<_>>());
}

#[test]
fn damage_ends_it() {
    let (disk, log) = filled(40);
    drop(log);
    disk.tamper(1, |bytes| bytes[1000] ^= 1);
    let mut tail = Tail::new(disk, Sequence(0), false);
    let error = tail.find_map(Result::err).unwrap();
    let JournalError::Corrupt(fault) = error else { panic!("{error}") };
    assert_eq!((fault.segment, fault.cause), (1, FaultCause::Entry));
    assert!(tail.next().is_none());
}
