//! One strategy of a cell: its guest, and what it may be asked next.

use std::time::Duration;

use crate::protocol::{CellFault, CellLimits, CellReply, CellRequest, FaultKind};
use crate::{Guest, Imports, Program};

/// The strategy and where it stands.
pub(super) struct ServedStrategy<I: Imports = ()> {
    /// The error: there is no code to run, whatever is asked.
    guest: Result<Guest<I>, CellFault>,
    /// The first cause of the last failure; answered to everything until a reset succeeds.
    fault: Option<CellFault>,
    initialised: bool,
    deadline_ms: u32,
}

impl<I: Imports> ServedStrategy<I> {
    /// Makes the first instance of a program. What went wrong so far, and what goes wrong here, is answered to every request.
    pub(super) fn start(program: Result<Program<I>, String>, limits: CellLimits) -> Self {
        let (guest, fault) = match program {
            Ok(program) => match Guest::start(program, limits) {
                Ok(guest) => (Ok(guest), None),
                Err(failure) => (Ok(failure.0), Some(failure.1)),
            },
            Err(detail) => (Err(CellFault::new(FaultKind::Host, detail, 0)), None),
        };
        Self { guest, fault, initialised: false, deadline_ms: limits.deadline_ms }
    }

    /// Answers one request. The first fault stays the answer until a reset.
    pub(super) fn serve(&mut self, request: CellRequest<'_>) -> CellReply {
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
