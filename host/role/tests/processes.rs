//! Children: what they inherit and what they do not; memory files that cannot be changed; confinement.
#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;

use portcullis_role::{
    MemoryFileError, RoleCommand, create_memory_file, inherited, read_sealed, seal, sealed_memory_file,
};

/// Runs a tool as if it were a role and returns what it wrote.
fn output(command: RoleCommand) -> String {
    let mut written = File::from(create_memory_file("out").unwrap());
    let stdout = Stdio::from(written.try_clone().unwrap());
    assert!(command.stdout(stdout).spawn().unwrap().wait().unwrap().success());
    let mut text = String::new();
    written.seek(SeekFrom::Start(0)).unwrap();
    written.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_child_gets_its_descriptors_in_order_and_no_others() {
    let first = sealed_memory_file("first", b"one ").unwrap();
    let second = sealed_memory_file("second", b"two").unwrap();
    rewind(&first);
    rewind(&second);
    let _open = File::open("/dev/null").unwrap();
    let cat =
        RoleCommand::of("/bin/cat", "/dev/fd/3").argument("/dev/fd/4").descriptor(first).descriptor(second);
    assert_eq!(output(cat), "one two");

    let file = sealed_memory_file("only", b"").unwrap();
    let listed = output(RoleCommand::of("/bin/ls", "/proc/self/fd").descriptor(file));
    // 4 is the directory that `ls` itself opened.
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_child_has_an_empty_environment() {
    assert_eq!(output(RoleCommand::of("/usr/bin/env", "-0")), "");
}

#[test]
fn a_missing_executable_is_an_error_of_the_parent() {
    assert!(RoleCommand::of("/nonexistent/portcullis", "cell").spawn().is_err());
}

#[test]
fn a_descriptor_that_was_not_handed_over_is_refused() {
    assert!(inherited(0).is_err());
    assert!(inherited(987_654).is_err());
}

#[test]
fn only_wholly_sealed_files_are_read() {
    let open = create_memory_file("open").unwrap();
    assert!(matches!(read_sealed(open, 10), Err(MemoryFileError::NotSealed)));
    let regular = OwnedFd::from(tempfile::tempfile().unwrap());
    assert!(matches!(read_sealed(regular, 10), Err(MemoryFileError::NotSealed)));

    let sealed = sealed_memory_file("sealed", b"12345").unwrap();
    assert!(File::from(sealed.try_clone().unwrap()).write_all(b"x").is_err());
    let long = sealed.try_clone().unwrap();
    assert!(matches!(read_sealed(long, 4), Err(MemoryFileError::TooLong { length: 5, bound: 4 })));
    assert_eq!(read_sealed(sealed, 5).unwrap(), b"12345");
}

#[test]
fn sealing_takes_the_pen_away_from_every_holder() {
    let file = create_memory_file("shared").unwrap();
    let mut writer = File::from(file.try_clone().unwrap());
    writer.write_all(b"before").unwrap();
    seal(file.as_fd()).unwrap();
    assert!(writer.write_all(b"after").is_err());
    assert_eq!(read_sealed(file, 100).unwrap(), b"before");
}

fn rewind(file: &OwnedFd) {
    File::from(file.try_clone().unwrap()).seek(SeekFrom::Start(0)).unwrap();
}
