//! What a role gives up before it touches anything from outside.
//!
//! Seccomp and Landlock belong here too and come with the isolation of the roles; every role already passes through.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit};

/// What a role may still use. `None` leaves a limit as it was inherited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confinement {
    /// Most open descriptors.
    pub open_files: u64,
    /// Most address space in bytes. Never for a cell: wasmtime reserves gigabytes that it does not use.
    pub address_space_bytes: Option<u64>,
    /// Most processor time in seconds; the kernel kills the process beyond it.
    pub cpu_s: Option<u64>,
    /// Longest file the process may write, in bytes.
    pub file_bytes: Option<u64>,
}

/// Takes the process's privileges away for good: no new ones by `exec`, no core dump, no debugger of the same user, and the
/// limits of `confinement`. Children inherit all of it, except that `exec` makes them debuggable again until they confine
/// themselves.
///
/// # Errors
///
/// When the kernel refuses; the role must then stop.
pub fn confine(confinement: &Confinement) -> std::io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, confinement.open_files)?;
    let optional = [
        (Resource::As, confinement.address_space_bytes),
        (Resource::Cpu, confinement.cpu_s),
        (Resource::Fsize, confinement.file_bytes),
    ];
    for (resource, most) in optional {
        if let Some(most) = most {
            limit(resource, most)?;
        }
    }
    Ok(())
}

/// Never above what was inherited, which only root could raise: a role makes do with less where the machine gives less.
fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(most, |inherited| inherited.min(most));
    Ok(rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}
