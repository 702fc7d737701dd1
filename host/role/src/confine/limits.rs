//! Resource limits and the process's own attributes.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit};

use super::Confinement;

/// Niceness of work that everything else goes before; 19 would let a busy machine starve it beyond its deadline.
const YIELDING: i32 = 10;

/// Everything that is not a filter.
pub(super) fn apply(confinement: &Confinement) -> io::Result<()> {
    // The library finds its way to the kernel's clock at the first use, by a call that no profile has; so that is now.
    let _now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, confinement.open_files)?;
    let optional = [
        (Resource::As, confinement.address_space_bytes),
        (Resource::Data, confinement.data_bytes),
        (Resource::Fsize, confinement.file_bytes),
    ];
    for (resource, most) in optional {
        if let Some(most) = most {
            limit(resource, most)?;
        }
    }
    if let Some(most) = confinement.cpu_s {
        // Between the two the kernel sends another signal than an operator would.
        let inherited = rustix::process::getrlimit(Resource::Cpu).maximum.unwrap_or(u64::MAX);
        let (current, maximum) = (most.min(inherited), most.saturating_add(1).min(inherited));
        let both = Rlimit { current: Some(current), maximum: Some(maximum) };
        rustix::process::setrlimit(Resource::Cpu, both)?;
    }
    if confinement.yields
        && let Err(error) = rustix::process::setpriority_process(None, YIELDING)
    {
        // Politeness, and no part of the confinement: a unit that forbids it weighs the processor by other means.
        tracing::debug!(%error, "the system does not let this process be nice");
    }
    Ok(())
}

/// No process and no thread from now on; root alone is not bound by it.
pub(super) fn no_more_processes() -> io::Result<()> {
    limit(Resource::Nproc, 0)
}

/// Lowers a limit for good. One that is lower already stays.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let inherited = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let most = Some(most.min(inherited));
    Ok(rustix::process::setrlimit(resource, Rlimit { current: most, maximum: most })?)
}
