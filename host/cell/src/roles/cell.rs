//! The `cell` role: one strategy, one socket to the gateway.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::StrategyName;
use portcullis_role::{Confinement, MESSAGE_BYTES_MAX, MessageError, MessageLink, RoleCommand, confine};

use super::{CELL_ROLE, RoleError, descriptor, number};
use crate::protocol::{CellFault, CellLimits, CellReply, CellRequest, FaultKind};
use crate::{Artifact, CellEngine, Guest, Program};

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
    let mut cell = Cell::load(artifact, limits);
    let mut link = MessageLink::new(socket, MESSAGE_BYTES_MAX);
    loop {
        let reply = match link.receive::<CellRequest<'_>>() {
            Ok(request) => cell.serve(request),
            Err(MessageError::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match link.send(&reply) {
            Err(MessageError::Closed) => return Ok(()),
            other => other?,
        }
    }
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

/// The strategy and where it stands.
struct Cell {
    /// The error: there is no code to run, whatever is asked.
    guest: Result<Guest, CellFault>,
    /// The first cause of the last failure; answered to everything until a reset succeeds.
    fault: Option<CellFault>,
    initialised: bool,
    deadline_ms: u32,
}

impl Cell {
    fn load(artifact: OwnedFd, limits: CellLimits) -> Self {
        let (guest, fault) = match load(artifact) {
            Ok(program) => match Guest::start(program, limits) {
                Ok(guest) => (Ok(guest), None),
                Err(failure) => (Ok(failure.0), Some(failure.1)),
            },
            Err(detail) => (Err(CellFault::new(FaultKind::Host, detail, 0)), None),
        };
        Self { guest, fault, initialised: false, deadline_ms: limits.deadline_ms }
    }

    fn serve(&mut self, request: CellRequest<'_>) -> CellReply {
        match self.answer(request) {
            Ok(reply) => reply,
            Err(fault) => {
                self.fault.get_or_insert_with(|| fault.clone());
                CellReply::Fault(fault)
            }
        }
    }

    fn answer(&mut self, request: CellRequest<'_>) -> Result<CellReply, CellFault> {
        let guest = self.guest.as_mut().map_err(|fault| fault.clone())?;
        if let Some(fault) = &self.fault
            && request != CellRequest::Reset
        {
            return Err(fault.clone());
        }
        let in_turn = match request {
            CellRequest::Describe | CellRequest::Reset => true,
            CellRequest::Init(_) => !self.initialised,
            CellRequest::Frame(_) | CellRequest::Snapshot | CellRequest::Restore { .. } => self.initialised,
        };
        if !in_turn {
            return Err(CellFault::new(FaultKind::Host, "asked out of turn", 0));
        }
        match request {
            CellRequest::Reset => {
                self.initialised = false;
                self.fault = None;
                guest.restart().map(|()| CellReply::Ready)
            }
            CellRequest::Describe => guest.describe().map(CellReply::Described),
            CellRequest::Init(setup) => match guest.init(&setup)? {
                Ok(()) => {
                    self.initialised = true;
                    Ok(CellReply::Ready)
                }
                Err(refusal) => Ok(CellReply::InitRefused(refusal)),
            },
            CellRequest::Frame(frame) => {
                let before = processor_time();
                guest
                    .on_frame(frame)
                    .map(CellReply::Outcome)
                    .map_err(|fault| blame(fault, self.deadline_ms, processor_time().saturating_sub(before)))
            }
            CellRequest::Snapshot => guest.snapshot().map(CellReply::Snapshot),
            CellRequest::Restore { version, bytes } => match guest.restore(version, bytes)? {
                Ok(()) => Ok(CellReply::Ready),
                Err(refusal) => Ok(CellReply::RestoreRefused(refusal)),
            },
        }
    }
}

/// A deadline that passed while the guest was not let near a processor is the machine's fault (DESIGN §10).
fn blame(fault: CellFault, deadline_ms: u32, used: Duration) -> CellFault {
    if fault.kind != FaultKind::Deadline
        || used.saturating_mul(2) >= Duration::from_millis(deadline_ms.into())
    {
        return fault;
    }
    let detail = format!("{} ms of processor time within a deadline of {deadline_ms} ms", used.as_millis());
    CellFault { kind: FaultKind::Overload, detail, ..fault }
}

/// Processor time of this thread so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn load(artifact: OwnedFd) -> Result<Program, String> {
    let artifact = Artifact::receive(artifact).map_err(|error| error.to_string())?;
    let engine = CellEngine::new().map_err(|error| error.to_string())?;
    Program::load(&Arc::new(engine), &artifact).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_guest_that_had_the_processor_is_blamed_for_a_deadline() {
        let fault = |kind| CellFault::new(kind, "x", 1);
        let after = |kind, used_ms| blame(fault(kind), 20, Duration::from_millis(used_ms)).kind;
        assert_eq!(after(FaultKind::Deadline, 19), FaultKind::Deadline);
        assert_eq!(after(FaultKind::Deadline, 10), FaultKind::Deadline);
        assert_eq!(after(FaultKind::Deadline, 9), FaultKind::Overload);
        assert_eq!(after(FaultKind::Trap, 0), FaultKind::Trap);
    }
}
