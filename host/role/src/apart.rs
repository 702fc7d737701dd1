//! Work on a stranger's bytes in a child of this process: it inherits what was read already, gives everything else up, and has nothing
//! to come back with but bytes (RULES C4).

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::{Pid, Signal, WaitOptions};

use crate::{Confined, Confinement, confine};

/// The one descriptor, besides the standard ones, that the child keeps.
const RESULT: libc::c_int = 3;

/// Status of a child whose work came to its end.
const DONE: i32 = 0;

/// Status of a child whose work panicked.
const PANICKED: i32 = 101;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ApartError {
    /// A child of a process with several threads could find any lock taken for good.
    #[error("the process has {0} threads; a child can only be split off from one")]
    Threads(usize),
    /// The system refused the child, its pipe or its confinement.
    #[error("a child process: {0}")]
    System(#[from] io::Error),
    /// The child was killed, most likely for using more than it may.
    #[error("the child process was killed by signal {0}; it used more memory or time than it may")]
    Killed(i32),
    /// The work panicked.
    #[error("the child process panicked")]
    Panicked,
    /// The result is longer than it may be.
    #[error("the child process wrote more than {0} bytes")]
    TooLong(u64),
}

/// Does `work` in a child under `confinement`, with no descriptors but the standard ones, and returns what it returned, at most
/// `bytes_max` bytes. The process must have a single thread. `work` is handed the proof of
/// its confinement, to settle before any guest runs.
///
/// # Errors
///
/// [`ApartError`]; what the work itself finds wrong belongs into its result.
pub fn in_child(
    confinement: &Confinement,
    bytes_max: u64,
    work: impl FnOnce(Confined) -> Vec<u8>,
) -> Result<Vec<u8>, ApartError> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(ApartError::Threads(threads));
    }
    // Nothing that waits in a buffer may be written by both.
    io::stdout().flush()?;
    let (reader, writer) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(io::Error::from)?;
    let Some(child) = fork()? else {
        drop(reader);
        serve(&writer, confinement, work);
    };
    drop(writer);
    let mut bytes = Vec::new();
    let read = File::from(reader).take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
    let too_long = u64::try_from(bytes.len()).is_ok_and(|length| length > bytes_max);
    if read.is_err() || too_long {
        rustix::process::kill_process(child, Signal::KILL).map_err(io::Error::from)?;
    }
    let status = loop {
        match rustix::process::waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => break status,
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(ApartError::System(errno.into())),
        }
    };
    read?;
    if too_long {
        return Err(ApartError::TooLong(bytes_max));
    }
    match (status.exit_status(), status.terminating_signal()) {
        (Some(DONE), _) => Ok(bytes),
        (Some(PANICKED), _) => Err(ApartError::Panicked),
        (Some(errno), _) => Err(ApartError::System(io::Error::from_raw_os_error(errno))),
        (None, signal) => Err(ApartError::Killed(signal.unwrap_or_default())),
    }
}

/// The child: gives everything up, works, answers, ends.
fn serve(writer: &OwnedFd, confinement: &Confinement, work: impl FnOnce(Confined) -> Vec<u8>) -> ! {
    let prepared = only_result(writer).and_then(|result| Ok((result, confine(confinement)?)));
    let status = match prepared {
        Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        Ok((mut result, confined)) => match catch_unwind(AssertUnwindSafe(|| work(confined))) {
            Err(_) => PANICKED,
            Ok(bytes) => match result.write_all(&bytes) {
                Ok(()) => DONE,
                Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
            },
        },
    };
    exit(status)
}

#[expect(unsafe_code, reason = "the one place where the process splits")]
fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: the process has a single thread, so no lock can be held by a thread that the child does not have.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        child => Ok(Pid::from_raw(child)),
    }
}

/// Keeps the standard descriptors and the result's, and closes all others.
#[expect(unsafe_code, reason = "descriptor numbers are moved and closed wholesale exactly here")]
fn only_result(writer: &OwnedFd) -> io::Result<File> {
    // The child ends with its parent.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // SAFETY: plain system calls on numbers. Nothing in the child uses a descriptor from before, and the writer itself is never dropped,
    // because the child ends in `exit`.
    unsafe {
        if writer.as_raw_fd() != RESULT && libc::dup2(writer.as_raw_fd(), RESULT) == -1 {
            return Err(io::Error::last_os_error());
        }
        let others = u32::try_from(RESULT.saturating_add(1)).unwrap_or(u32::MAX);
        if libc::close_range(others, u32::MAX, 0) == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(File::from_raw_fd(RESULT))
    }
}

/// Ends at once: destructors and buffers belong to the parent.
#[expect(unsafe_code, reason = "the child must not run what the parent registered for its own end")]
fn exit(status: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}
