//! What a role gives up before it touches anything from outside: privileges, files, network, and every system call that its work does
//! not take. The kernel holds it to that even when the role's own code has been taken over.

mod calls;
mod files;
mod filter;
mod limits;
mod profile;

use std::io;

pub use files::{Files, NoSandbox, Sandbox, Tcp};
pub use profile::Profile;

/// What a role may still use. `None` leaves a limit as it was inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// The system calls it may make.
    pub profile: Profile,
    /// The files it may open, and whether it may reach the network.
    pub files: Files,
    /// Most open descriptors.
    pub open_files: u64,
    /// Most address space in bytes. Never for a cell: wasmtime reserves gigabytes that it does not use.
    pub address_space_bytes: Option<u64>,
    /// Most memory that can be written, in bytes; address space that is only reserved does not count.
    pub data_bytes: Option<u64>,
    /// Most processor time in seconds; the kernel kills the process beyond it.
    pub cpu_s: Option<u64>,
    /// Longest file the process may write, in bytes; memory files count.
    pub file_bytes: Option<u64>,
    /// Whether everything else on the machine goes first.
    pub yields: bool,
}

impl Confinement {
    /// No files, no network, and the system calls of `profile`; other limits as they were inherited.
    pub fn nothing(profile: Profile, open_files: u64) -> Self {
        Self {
            profile,
            files: Files::default(),
            open_files,
            address_space_bytes: None,
            data_bytes: None,
            cpu_s: None,
            file_bytes: None,
            yields: false,
        }
    }
}

/// Proof that the process is confined. A profile that takes more calls to get ready than to work is not done before
/// [`settle`](Self::settle).
#[derive(Debug)]
#[must_use = "a profile in two stages is only whole once it is settled"]
pub struct Confined {
    profile: Profile,
    sandbox: Sandbox,
}

/// Takes the process's privileges away for good: no new ones by `exec`, no core dump, no debugger of the same user, the limits of
/// `confinement`, no files but its own, and no system call that is not in its profile. Children inherit all of it, except that `exec`
/// makes them debuggable again until they confine themselves.
///
/// Call it before the process has a second thread: the kernel binds a thread and what it starts to the rules on files, and not its
/// siblings.
///
/// # Errors
///
/// When the kernel refuses; the role must then stop. A kernel without Landlock is no error but a warning in the log, see
/// [`Sandbox::require`].
pub fn confine(confinement: &Confinement) -> io::Result<Confined> {
    limits::apply(confinement)?;
    let sandbox = files::restrict(&confinement.files)?;
    if !sandbox.is_whole() {
        tracing::warn!(profile = %confinement.profile, %sandbox, "this kernel confines less than it could");
    }
    filter::install(&confinement.profile.starting())?;
    Ok(Confined { profile: confinement.profile, sandbox })
}

impl Confined {
    /// Gives up what only getting ready took, in every thread, and returns what the kernel enforces.
    ///
    /// # Errors
    ///
    /// When the kernel refuses; the role must then stop.
    pub fn settle(self) -> io::Result<Sandbox> {
        if let Some(filter) = self.profile.settled() {
            limits::no_more_processes()?;
            filter::install(&filter)?;
        }
        Ok(self.sandbox)
    }

    /// What the kernel enforces.
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox
    }
}
