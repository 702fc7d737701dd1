//! Attempts that are more than one call, or none.

use portcullis_cell::{CELL_REPLY_BYTES_MAX, SNAPSHOT_BYTES_MAX};

use super::{Attempt, Expected};
use crate::world::World;

pub(super) const MORE: &[Attempt] = &[
    Attempt::more("idle", |_| String::new()).only_work(Expected::Finds("")),
    Attempt::more("environment", environment).everywhere(Expected::Finds("")).handed(Expected::Finds("")),
    Attempt::more("descriptors", descriptors).only_work(Expected::Finds("0 1 2 3")),
    Attempt::more("descriptors-of-a-backtest", descriptors).in_lab(Expected::Finds("0 1 2 3")),
    Attempt::more("call-of-32-bits", call_of_32_bits).everywhere(Expected::KilledBy(libc::SIGSEGV)),
    Attempt::more("memory-bomb", memory_bomb).only_work(Expected::Finds("within bounds")),
    Attempt::more("write-to-code", write_to_code).everywhere(Expected::KilledBy(libc::SIGSEGV)),
    Attempt::more("deaf-to-signals", deaf).only_work(Expected::Finds("error 22")),
    // What comes over the one socket that a cell has.
    Attempt::more("reply-of-four-gigabytes", |_| send(&u32::MAX.to_le_bytes())).breaks("above the bound"),
    Attempt::more("reply-above-the-bound", |_| send(&message(CELL_REPLY_BYTES_MAX + 1, &[])))
        .breaks("above the bound"),
    Attempt::more("no-reply-at-all", |_| send(&message(16, &[0xff; 16]))).breaks("malformed"),
    Attempt::more("empty-reply", |_| send(&message(0, &[]))).breaks("malformed"),
    Attempt::more("reply-with-something-behind", |_| send(&message(3, &[1, 0, 0]))).breaks("malformed"),
    Attempt::more("reply-to-another-question", |_| send(&message(1, &[1]))).breaks("out of turn"),
    Attempt::more("snapshot-above-its-bound", |_| send(&long_snapshot())).breaks("malformed"),
    Attempt::more("flood", flood).breaks("malformed"),
    Attempt::more("half-a-reply", half_a_reply).only_work(Expected::Ends(7)),
];

impl Attempt {
    /// For a cell at work, whose link does not survive it.
    const fn breaks(self, why: &'static str) -> Self {
        self.only_work(Expected::Breaks(why))
    }

    /// For a backtest's child, and nothing else.
    const fn in_lab(self, expected: Expected) -> Self {
        Self { work: None, loading: None, lab: Some(expected), ..self }
    }
}

/// Variables handed down; none, for secrets travel in them.
fn environment(_: &World) -> String {
    std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
}

/// Which descriptors are open: asking each is the one way that is left.
fn descriptors(_: &World) -> String {
    let mut open = Vec::new();
    for number in 0..1_024 {
        if unsafe { libc::fcntl(number, libc::F_GETFD) } != -1 {
            open.push(number.to_string());
        }
    }
    open.join(" ")
}

/// `getpid` by the old gate of 32-bit programs, whose numbers mean other calls.
fn call_of_32_bits(_: &World) -> String {
    let result: i64;
    unsafe { std::arch::asm!("int 0x80", inlateout("rax") 20_i64 => result) };
    format!("value {result}")
}

/// Takes memory until there is no more.
fn memory_bomb(_: &World) -> String {
    const CHUNK: usize = 16 << 20;
    const BOUND: usize = 512 << 20;
    let mut taken = 0;
    while taken <= BOUND {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let chunk = unsafe {
            libc::mmap(std::ptr::null_mut(), CHUNK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        if chunk == libc::MAP_FAILED {
            return "within bounds".to_owned();
        }
        taken += CHUNK;
    }
    format!("{taken} bytes")
}

fn write_to_code(_: &World) -> String {
    let code = write_to_code as *mut u8;
    unsafe { code.write_volatile(0) };
    "written".to_owned()
}

/// Ignores the signal by which the runner ends it, which the kernel does not take.
fn deaf(_: &World) -> String {
    let action: [u64; 4] = [1, 0, 0, 0];
    super::told(unsafe { libc::syscall(libc::SYS_rt_sigaction, libc::SIGKILL, action.as_ptr(), 0, 8) })
}

/// A message of this length with that body, which need not fit.
fn message(length: usize, body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(length).unwrap().to_le_bytes().to_vec();
    bytes.extend(body);
    bytes
}

fn send(bytes: &[u8]) -> String {
    let length = bytes.len();
    let sent =
        unsafe { libc::sendto(3, bytes.as_ptr().cast(), length, libc::MSG_NOSIGNAL, std::ptr::null(), 0) };
    super::told(sent as i64)
}

/// A snapshot of a byte more than there may be.
fn long_snapshot() -> Vec<u8> {
    let length = SNAPSHOT_BYTES_MAX + 1;
    // Variant 5, version 0, the length as postcard writes it, and the bytes.
    let mut body = vec![5, 0];
    let mut rest = length;
    while rest > 0x7f {
        body.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    body.push(rest as u8);
    body.resize(body.len() + length, 0);
    message(body.len(), &body)
}

/// As much as the socket takes until nobody reads any more.
fn flood(_: &World) -> String {
    let burst = message(8, &[0xff; 8]).repeat(10_000);
    while send(&burst).starts_with("value") {}
    String::new()
}

/// Announces more than it sends, and ends.
fn half_a_reply(_: &World) -> String {
    send(&message(100, &[0; 10]));
    unsafe { libc::_exit(7) }
}
