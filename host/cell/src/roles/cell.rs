//! The `cell` role: takes what the runner hands over, gives up what it does not need, and serves.

mod serve;
mod strategy;

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use portcullis_core::StrategyName;
use portcullis_role::{Confinement, RoleCommand, confine};

use super::{CELL_ROLE, RoleError, descriptor, number};
use crate::protocol::CellLimits;
use serve::serve;
use strategy::ServedStrategy;

/// The socket, the standard streams, and what wasmtime holds for memory images.
const OPEN_FILES: u64 = 32;

/// The command that starts a cell: descriptor 3 is its socket, 4 its artifact.
pub(crate) fn command(
    mut command: RoleCommand,
    name: &StrategyName,
    limits: &CellLimits,
    socket: OwnedFd,
    artifact: OwnedFd,
) -> RoleCommand {
    let CellLimits { memory_bytes_max, fuel_per_event, deadline_ms, actions_per_event_max, log_bytes_max } =
        *limits;
    let numbers = [
        memory_bytes_max,
        fuel_per_event,
        deadline_ms.into(),
        actions_per_event_max.into(),
        log_bytes_max.into(),
    ];
    command = command.argument(name.as_str());
    for number in numbers {
        command = command.argument(number.to_string());
    }
    command.descriptor(socket).descriptor(artifact)
}

/// Runs the `cell` role with the arguments after its name. Returns when the gateway closes the socket.
///
/// # Errors
///
/// [`RoleError`]. A component that does not load or a guest that faults is not one: the gateway is told over the socket.
pub fn cell_role(arguments: &[OsString]) -> Result<(), RoleError> {
    let limits = limits(arguments)?;
    let socket = descriptor(CELL_ROLE, 0)?;
    let artifact = descriptor(CELL_ROLE, 1)?;
    let confinement =
        Confinement { open_files: OPEN_FILES, address_space_bytes: None, cpu_s: None, file_bytes: None };
    confine(&confinement).map_err(RoleError::system("confine"))?;
    serve(ServedStrategy::load(artifact, limits), socket)
}

fn limits(arguments: &[OsString]) -> Result<CellLimits, RoleError> {
    // The first argument is the name, which is there for process lists only.
    let mut numbers = arguments.iter().skip(1);
    let limits = CellLimits {
        memory_bytes_max: number(CELL_ROLE, numbers.next())?,
        fuel_per_event: number(CELL_ROLE, numbers.next())?,
        deadline_ms: number(CELL_ROLE, numbers.next())?,
        actions_per_event_max: number(CELL_ROLE, numbers.next())?,
        log_bytes_max: number(CELL_ROLE, numbers.next())?,
    };
    limits.checked().map_err(|error| RoleError::NotAChild { role: CELL_ROLE, detail: error.to_string() })
}
