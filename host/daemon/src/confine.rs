//! What the roles of the daemon give up before they listen, connect or read from outside. They serve TLS and HTTP, which takes many
//! system calls, so theirs is a list of those they may not make; and of the machine's files they see the system's, and change only
//! their own.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_role::{Confined, Confinement, Files, Profile, Tcp, confine};

use crate::config::credentials_directory;
use crate::failure::Failure;

/// Connections, segments, uploads; the system's own limit where that is lower.
const OPEN_FILES: u64 = 65_536;

/// Of a directory that is not there yet, as the journal makes its own.
const DIRECTORY_MODE: u32 = 0o750;

/// What libraries read while they work: names of hosts and users, time zones, processors, and code that they load late.
const SYSTEM: [&str; 9] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/dev/null",
    "/run/systemd/resolve",
    "/run/resolvconf",
];

/// What of the machine is a role's own.
#[derive(Debug, Default)]
pub(crate) struct Own<'a> {
    /// Files and directories it reads, besides the system's.
    pub(crate) read: Vec<&'a Path>,
    /// Directories in which it may change everything.
    pub(crate) write: Vec<&'a Path>,
}

/// Puts this process into the sandbox of `profile`. It must have a single thread.
///
/// # Errors
///
/// When a directory to be written in is missing and cannot be made, or the kernel refuses; the role must then stop.
pub(crate) fn confine_role(profile: Profile, own: &Own<'_>, tcp: Tcp) -> Result<(), Failure> {
    for directory in &own.write {
        let made = DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory);
        made.with_context(|| format!("cannot make the directory {}", directory.display()))?;
    }
    let read = SYSTEM.map(PathBuf::from).into_iter().chain(own.read.iter().copied().map(Path::to_owned));
    let files = Files {
        read: read.chain(credentials_directory()).collect(),
        write: own.write.iter().copied().map(Path::to_owned).collect(),
        execute: Vec::new(),
        tcp,
        unix_sockets: true,
    };
    let confinement = Confinement { files, ..Confinement::nothing(profile, OPEN_FILES) };
    let sandbox =
        confine(&confinement).and_then(Confined::settle).context("the role could not be confined")?;
    tracing::info!(%profile, %sandbox, "confined");
    Ok(())
}
