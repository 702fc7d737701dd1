//! Starts a role as a child process: the same binary again, with a role's name, a clean environment and exactly the
//! descriptors it was given.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

/// Number of the first descriptor a role inherits; the next one is this plus one, and so on.
pub const FIRST_DESCRIPTOR: RawFd = 3;

/// A role about to be started.
///
/// The child dies when the *thread* that spawned it ends, so spawn from a thread that lives as long as the child should: the
/// main thread of the parent.
#[derive(Debug)]
pub struct RoleCommand {
    executable: PathBuf,
    role: OsString,
    arguments: Vec<OsString>,
    descriptors: Vec<OwnedFd>,
    stdout: Stdio,
}

impl RoleCommand {
    /// A role of this very binary.
    pub fn new(role: impl Into<OsString>) -> Self {
        Self::of("/proc/self/exe", role)
    }

    /// A role of another binary.
    pub fn of(executable: impl Into<PathBuf>, role: impl Into<OsString>) -> Self {
        Self {
            executable: executable.into(),
            role: role.into(),
            arguments: Vec::new(),
            descriptors: Vec::new(),
            stdout: Stdio::null(),
        }
    }

    /// Adds an argument after the role's name.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Hands the child a descriptor under the next free number from [`FIRST_DESCRIPTOR`] on.
    #[must_use]
    pub fn descriptor(mut self, descriptor: OwnedFd) -> Self {
        self.descriptors.push(descriptor);
        self
    }

    /// Where the child's standard output goes; nowhere unless said. Standard error, which carries the logs, is shared.
    #[must_use]
    pub fn stdout(mut self, stdout: Stdio) -> Self {
        self.stdout = stdout;
        self
    }

    /// Starts the child. Its copies of the descriptors are the only ones left afterwards.
    ///
    /// # Errors
    ///
    /// When there is no such executable, or the system is out of processes or descriptors.
    pub fn spawn(self) -> io::Result<Child> {
        let mut command = Command::new(&self.executable);
        command.arg0("portcullis").arg(&self.role).args(&self.arguments).env_clear();
        command.stdin(Stdio::null()).stdout(self.stdout).stderr(Stdio::inherit());
        // An interrupt from the operator's terminal is for the first process alone, which ends the roles in order.
        command.process_group(0);
        let (placed, _reserved) = lift(&self.descriptors)?;
        before_exec(&mut command, placed.iter().map(AsRawFd::as_raw_fd).collect());
        command.spawn()
    }
}

/// Takes over a descriptor that the parent handed to this role.
///
/// Call it once per number, first thing in the role.
///
/// # Errors
///
/// When the number is below [`FIRST_DESCRIPTOR`] or not open: the role was not started by its parent.
#[expect(unsafe_code, reason = "a descriptor number from outside the process becomes a value exactly here")]
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    if number < FIRST_DESCRIPTOR || std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_err() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("descriptor {number} was not handed over"),
        ));
    }
    // SAFETY: the descriptor is open, and by the contract between parent and role nothing else in this process owns it: the
    // parent placed it there for this role, and the role asks for each number once, before it opens anything.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&descriptor, rustix::io::FdFlags::CLOEXEC)?;
    Ok(descriptor)
}

/// Copies of the descriptors above the numbers they are meant for, so that moving them down cannot overwrite one that is still
/// to be moved; and placeholders on those numbers, so that nothing the standard library opens for the spawn lands there.
fn lift(descriptors: &[OwnedFd]) -> io::Result<(Vec<OwnedFd>, Vec<OwnedFd>)> {
    let count = RawFd::try_from(descriptors.len()).map_err(io::Error::other)?;
    let free = FIRST_DESCRIPTOR.saturating_add(count);
    let mut placed = Vec::new();
    for descriptor in descriptors {
        placed.push(rustix::io::fcntl_dupfd_cloexec(descriptor, free)?);
    }
    let mut reserved = Vec::new();
    while let Some(any) = placed.first() {
        let placeholder = rustix::io::fcntl_dupfd_cloexec(any.as_fd(), FIRST_DESCRIPTOR)?;
        if placeholder.as_raw_fd() >= free {
            break;
        }
        reserved.push(placeholder);
    }
    Ok((placed, reserved))
}

/// Has the child, between fork and exec, die with its parent and put its descriptors in place with all others closed.
#[expect(unsafe_code, reason = "the only code that runs between fork and exec")]
fn before_exec(command: &mut Command, placed: Vec<RawFd>) {
    let parent = rustix::process::getpid();
    let in_child = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if rustix::process::getppid() != Some(parent) {
            // The parent died before the line above; no signal will come.
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        let mut number = FIRST_DESCRIPTOR;
        for descriptor in &placed {
            // SAFETY: a plain system call on two integers; `lift` keeps `descriptor` open in the parent and so in the child.
            if unsafe { libc::dup2(*descriptor, number) } < 0 {
                return Err(io::Error::last_os_error());
            }
            number = number.saturating_add(1);
        }
        let others = libc::c_uint::try_from(number).unwrap_or(libc::c_uint::MAX);
        // SAFETY: a plain system call; it closes descriptors at exec and touches no memory.
        let closed = unsafe {
            libc::syscall(libc::SYS_close_range, others, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
        };
        if closed < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes plain system calls (prctl,
    // getppid, dup2, close_range), reads a vector that was allocated before the fork, and allocates nothing: the errors it
    // can return are bare OS codes.
    unsafe { command.pre_exec(in_child) };
}
