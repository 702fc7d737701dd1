//! Messages over real sockets: what arrives, with which descriptors, and what a hostile peer can do.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use portcullis_role::{
    DESCRIPTORS_MAX, MESSAGE_BYTES_MAX, MessageError, MessageLink, MessageSocket, read_sealed,
    sealed_memory_file,
};
use proptest::prelude::*;

const BOUND: usize = 1024 * 1024;

fn sockets() -> (MessageSocket, MessageSocket) {
    let (left, right) = UnixStream::pair().unwrap();
    (MessageSocket::new(left, BOUND), MessageSocket::new(right, BOUND))
}

fn link_and_raw(bound: usize) -> (MessageLink, UnixStream) {
    let (left, right) = UnixStream::pair().unwrap();
    (MessageLink::new(OwnedFd::from(left), bound), right)
}

#[test]
fn descriptors_arrive_with_their_own_message() {
    let (mut left, mut right) = sockets();
    let file = sealed_memory_file("test", b"sealed bytes").unwrap();
    left.send("first", &[]).unwrap();
    left.send("second", &[file.as_fd()]).unwrap();
    left.send("third", &[]).unwrap();

    let (text, descriptors): (String, _) = right.receive().unwrap();
    assert_eq!((text.as_str(), descriptors.len()), ("first", 0));
    let (text, mut descriptors): (String, _) = right.receive().unwrap();
    assert_eq!((text.as_str(), descriptors.len()), ("second", 1));
    assert_eq!(read_sealed(descriptors.remove(0), 100).unwrap(), b"sealed bytes");
    let (text, descriptors): (String, _) = right.receive().unwrap();
    assert_eq!((text.as_str(), descriptors.len()), ("third", 0));
    drop(left);
    assert!(matches!(right.receive::<String>(), Err(MessageError::Closed)));
}

#[test]
fn a_memory_file_is_read_whole_while_others_read_it_by_the_same_position() {
    let mut file = File::from(sealed_memory_file("test", b"sealed bytes").unwrap());
    file.seek(SeekFrom::Start(7)).unwrap();
    let shared = file.try_clone().unwrap();
    assert_eq!(read_sealed(shared.into(), 100).unwrap(), b"sealed bytes");
    assert_eq!(file.stream_position().unwrap(), 7, "another reader's position was moved");
}

#[test]
fn too_many_descriptors_are_not_sent() {
    let (mut left, _right) = sockets();
    let file = sealed_memory_file("test", b"").unwrap();
    let many = vec![file.as_fd(); DESCRIPTORS_MAX + 8];
    assert!(matches!(left.send("x", &many), Err(MessageError::Malformed(_))));
}

#[test]
fn a_long_message_crosses_in_pieces() {
    let (mut link, raw) = link_and_raw(MESSAGE_BYTES_MAX);
    let mut far = MessageLink::new(OwnedFd::from(raw), MESSAGE_BYTES_MAX);
    let long = "x".repeat(MESSAGE_BYTES_MAX - 8);
    link.try_send(&long).unwrap();
    assert!(link.wants_write(), "no socket takes four mebibytes at once");
    let received: String = loop {
        link.flush().unwrap();
        if let Some(text) = far.try_receive().unwrap() {
            break text;
        }
    };
    assert_eq!(received, long);
    assert!(!link.wants_write());
}

#[test]
fn messages_that_arrive_together_are_taken_one_by_one() {
    let (mut link, raw) = link_and_raw(BOUND);
    let mut far = MessageLink::new(OwnedFd::from(raw), BOUND);
    for number in 0..3_u32 {
        link.try_send(&number).unwrap();
    }
    for number in 0..3_u32 {
        assert_eq!(far.try_receive::<u32>().unwrap(), Some(number));
    }
    assert_eq!(far.try_receive::<u32>().unwrap(), None);
    drop(link);
    assert!(matches!(far.try_receive::<u32>(), Err(MessageError::Closed)));
}

#[test]
fn an_announced_length_above_the_bound_is_refused_before_its_bytes_come() {
    let (mut link, mut raw) = link_and_raw(100);
    raw.write_all(&u32::MAX.to_le_bytes()).unwrap();
    assert!(matches!(link.try_receive::<String>(), Err(MessageError::TooLong { bound: 100, .. })));

    let (left, mut raw) = UnixStream::pair().unwrap();
    raw.write_all(&101_u32.to_le_bytes()).unwrap();
    let refused = MessageSocket::new(left, 100).receive::<String>();
    assert!(matches!(refused, Err(MessageError::TooLong { length: 101, bound: 100 })));
}

#[test]
fn a_message_above_the_bound_is_not_sent_and_leaves_the_link_whole() {
    let (mut link, mut raw) = link_and_raw(BOUND);
    let long = "x".repeat(MESSAGE_BYTES_MAX + 1);
    assert!(matches!(link.try_send(&long), Err(MessageError::TooLong { .. })));
    link.try_send("ok").unwrap();
    let mut bytes = [0; 7];
    raw.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"\x03\0\0\0\x02ok");
}

#[test]
fn bytes_behind_a_message_are_malformed() {
    let (mut link, mut raw) = link_and_raw(BOUND);
    raw.write_all(&[3, 0, 0, 0, 1, b'x', b'y']).unwrap();
    assert!(matches!(link.try_receive::<String>(), Err(MessageError::Malformed(_))));
}

proptest! {
    #[test]
    fn no_bytes_from_a_peer_do_more_than_fail(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let (mut link, mut raw) = link_and_raw(BOUND);
        raw.write_all(&bytes).unwrap();
        drop(raw);
        // Ends, because every turn takes a message off or fails.
        while link.receive::<Vec<(u32, String)>>().is_ok() {}
    }
}
