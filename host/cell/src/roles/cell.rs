//! The `cell` role: takes what the runner hands over, gives up what it does not need, and serves.

mod alone;
mod programs;
mod shared;
mod strategy;

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use portcullis_core::StrategyName;
use portcullis_role::{MESSAGE_BYTES_MAX, MessageLink, Party, RoleCommand};

use super::{CELL_ROLE, RoleError, confine_cell, confine_shared_cell, descriptor, number};
use crate::Imports;
use crate::protocol::{CELL_PROTOCOL, CellLimits, SharedCellName};
use alone::serve_alone;
use programs::Programs;
use shared::serve_shared;
use strategy::ServedStrategy;

/// Most strategies of one process.
pub(crate) const SHARED_STRATEGIES_MAX: u32 = 1_024;

/// What stands before the name of a shared cell among the arguments; no strategy is called so.
const SHARED: &str = "--shared";

/// Descriptors of a shared cell, with a socket and at worst an image for each strategy.
pub(crate) const SHARED_OPEN_FILES: u64 = 2_112;

/// The command that starts a cell for several strategies: descriptor 3 is its socket to the runner.
pub(crate) fn shared_command(command: RoleCommand, name: &SharedCellName, runner: OwnedFd) -> RoleCommand {
    command.argument(SHARED).argument(name.as_str()).descriptor(runner)
}

/// The command that starts a cell for one strategy: descriptor 3 is its socket, 4 its artifact.
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

/// Runs the `cell` role with the arguments after its name. Returns when its socket is closed: the gateway's, or a shared cell's to
/// the runner.
///
/// # Errors
///
/// [`RoleError`]. A component that does not load or a guest that faults is not one: the gateway is told over the socket.
pub fn cell_role(arguments: &[OsString]) -> Result<(), RoleError> {
    if arguments.first().is_some_and(|argument| argument == SHARED) {
        let runner = descriptor(CELL_ROLE, 0)?;
        return serve_shared(runner, confine_shared_cell(SHARED_OPEN_FILES)?);
    }
    cell_role_with::<()>(arguments)
}

/// Runs the `cell` role for one strategy whose component may import what `I` offers.
///
/// # Errors
///
/// As [`cell_role`].
pub fn cell_role_with<I: Imports>(arguments: &[OsString]) -> Result<(), RoleError> {
    let limits = limits(arguments)?;
    let socket = descriptor(CELL_ROLE, 0)?;
    let artifact = descriptor(CELL_ROLE, 1)?;
    let confined = confine_cell(limits.memory_bytes_max)?;
    let program = Programs::<I>::new(1).load(artifact);
    // No code of the guest has run yet, and none runs before what loading took is gone.
    confined.settle().map_err(RoleError::system("confine"))?;
    serve_alone(ServedStrategy::start(program, limits), socket)
}

/// The link of one strategy to its gateway.
fn link(socket: OwnedFd) -> MessageLink {
    let party = Party { protocol: CELL_PROTOCOL, us: "cell", them: "gateway" };
    MessageLink::greeting(socket, MESSAGE_BYTES_MAX, party)
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
