//! What the roles of this crate keep: functions first, so that whatever stands in for a role in a test is held by the same ones.

use std::path::PathBuf;

use portcullis_role::{Confined, Confinement, Files, Profile, Sandbox, confine};

use super::cell::SHARED_OPEN_FILES;
use super::{RoleError, RunnerConfig};
use crate::ARTIFACT_BYTES_MAX;

/// The socket, the standard streams, and what wasmtime holds for memory images.
const CELL_FILES: u64 = 32;

/// Images of a program's memories, at most so large together; a cell writes nothing else.
const CELL_FILE_BYTES: u64 = 256 << 20;

/// Memory of a cell beside its guests' own, which are there twice while one replaces another: code, messages, snapshots.
const CELL_DATA_BYTES: u64 = 256 << 20;

/// Component, artifact and the standard streams, and some.
const COMPILE_FILES: u64 = 16;

/// Puts a cell whose guests may use so many bytes together into its sandbox, up to the point where it has loaded its artifact. No code of a guest may run before
/// [`Confined::settle`] has taken away what loading took.
///
/// # Errors
///
/// When the kernel refuses: there is no cell then.
pub fn confine_cell(memory_bytes_max: u64) -> Result<Confined, RoleError> {
    let data_bytes = memory_bytes_max.saturating_mul(2).saturating_add(CELL_DATA_BYTES);
    let confinement = Confinement {
        data_bytes: Some(data_bytes),
        file_bytes: Some(CELL_FILE_BYTES),
        ..Confinement::nothing(Profile::Cell, CELL_FILES)
    };
    confine(&confinement).map_err(RoleError::system("confine"))
}

/// Puts a cell for several strategies, with so many descriptors, into its sandbox. It goes on loading, so settling takes less away; and
/// who will join is not known, so that the memory of all is bounded by the runner's unit.
///
/// # Errors
///
/// When the kernel refuses: there is no cell then.
pub fn confine_shared_cell(open_files: u64) -> Result<Confined, RoleError> {
    let confinement = Confinement {
        file_bytes: Some(CELL_FILE_BYTES),
        ..Confinement::nothing(Profile::SharedCell, open_files)
    };
    confine(&confinement).map_err(RoleError::system("confine"))
}

/// Puts the compiler of one component into its sandbox.
///
/// # Errors
///
/// When the kernel refuses: nothing is compiled then.
pub fn confine_compiler(memory_bytes_max: u64, cpu_s: u64) -> Result<(), RoleError> {
    let confinement = Confinement {
        address_space_bytes: Some(memory_bytes_max),
        cpu_s: Some(cpu_s),
        file_bytes: Some(ARTIFACT_BYTES_MAX),
        yields: true,
        ..Confinement::nothing(Profile::Compile, COMPILE_FILES)
    };
    confine(&confinement).and_then(Confined::settle).map(drop).map_err(RoleError::system("confine"))
}

/// A socket and a process descriptor for every process. What a shared cell needs is more, and a child has no more than its parent.
const RUNNER_FILES: u64 = SHARED_OPEN_FILES;

/// Where the loader of a dynamic binary finds what it wants.
const LIBRARIES: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"];

/// Puts the runner into its sandbox, which its cells and compilers start in: the binary, the system's libraries, and no socket
/// but those it has: it listens already, and makes pairs.
///
/// # Errors
///
/// When the kernel refuses, or offers less than the configuration requires.
pub(super) fn confine_runner(config: &RunnerConfig) -> Result<Sandbox, RoleError> {
    if config.require_sandbox {
        let offered = Sandbox::probe().require();
        offered.map_err(|lacking| RoleError::system("confine")(std::io::Error::other(lacking)))?;
    }
    let libraries = LIBRARIES.map(PathBuf::from);
    let files = Files {
        execute: libraries
            .into_iter()
            .chain([config.executable.clone()])
            .chain(config.wasi_executable.clone())
            .collect(),
        write: vec![PathBuf::from("/dev/null")],
        ..Files::default()
    };
    let confinement = Confinement { files, ..Confinement::nothing(Profile::Runner, RUNNER_FILES) };
    confine(&confinement).and_then(Confined::settle).map_err(RoleError::system("confine"))
}
