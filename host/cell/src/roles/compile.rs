//! The `compile` role: one component in, one artifact out, under limits on memory, time and output.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;

use portcullis_role::{RoleCommand, read_sealed};

use super::{COMPILE_ROLE, RoleError, confine_compiler, descriptor, number};
use crate::protocol::{CompileLimits, cut};
use crate::{CompileError, compile};

/// Largest component in bytes; admission has its own, smaller bounds.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// Longest reason for a failure in bytes.
pub(crate) const REASON_BYTES_MAX: usize = 512;

/// The command that compiles: descriptor 3 is the sealed component, 4 the memory file for the artifact.
pub(crate) fn command(
    command: RoleCommand,
    limits: CompileLimits,
    component: OwnedFd,
    artifact: OwnedFd,
) -> RoleCommand {
    command
        .argument(limits.memory_bytes_max.to_string())
        .argument(limits.cpu_s.to_string())
        .descriptor(component)
        .descriptor(artifact)
}

/// Runs the `compile` role with the arguments after its name.
///
/// # Errors
///
/// [`RoleError::Compile`] when the component does not compile; the reason then stands where the artifact would.
pub fn compile_role(arguments: &[OsString]) -> Result<(), RoleError> {
    let memory_bytes_max = number(COMPILE_ROLE, arguments.first())?;
    let cpu_s = number(COMPILE_ROLE, arguments.get(1))?;
    let component = descriptor(COMPILE_ROLE, 0)?;
    let mut output = File::from(descriptor(COMPILE_ROLE, 1)?);
    confine_compiler(memory_bytes_max, cpu_s)?;
    let component = read_sealed(component, COMPONENT_BYTES_MAX)
        .map_err(|error| RoleError::NotAChild { role: COMPILE_ROLE, detail: error.to_string() })?;
    match compile(&component) {
        Ok(artifact) => output.write_all(artifact.bytes()).map_err(RoleError::system("write the artifact")),
        // The machine's fault, and no verdict on the component: it goes to the log.
        Err(CompileError::Engine(error)) => Err(RoleError::system("compile")(std::io::Error::other(error))),
        Err(error @ (CompileError::Precompiled | CompileError::Invalid(_) | CompileError::TooLong(_))) => {
            let mut reason = error.to_string();
            cut(&mut reason, REASON_BYTES_MAX);
            output.write_all(reason.as_bytes()).map_err(RoleError::system("write the reason"))?;
            Err(RoleError::Compile(reason))
        }
    }
}
