//! Brings a fault about again: the same code, from the same state, through the same calls.

use portcullis_core::FaultCode;
use portcullis_core::frame::{check_outcome, frame_marks};

use super::file::{FaultFile, FaultedCall, outcome_digest};
use crate::protocol::{CellFault, CellLimits};
use crate::{Guest, Imports, Program};

/// Fuel decides whether a call ends; the clock only guards against a hang (RULES T9).
const HANG_GUARD_MS: u32 = 60_000;

/// What came of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// How it ended: with a fault, or without.
    pub fault: Option<ReplayedFault>,
    /// The first of the frames before the failing call whose answer was another one than recorded. The state in the strategy's
    /// snapshot then is not all of its state.
    pub diverged: Option<usize>,
}

/// A fault that happened in a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedFault {
    /// Where.
    pub place: Place,
    /// What.
    pub code: FaultCode,
    /// In words.
    pub detail: String,
    /// The functions it happened in, the innermost first.
    pub backtrace: Vec<String>,
    /// Fuel it was charged with.
    pub fuel_charged: u64,
}

/// A place in a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// While the instance was made.
    Revival,
    /// In one of the frames before the failing call.
    Before(usize),
    /// In the failing call.
    Call,
}

impl Replay {
    /// Whether it ended because the hang guard, and not the fuel, ran out: this machine is too slow to say anything.
    pub fn is_too_slow(&self) -> bool {
        self.fault.as_ref().is_some_and(|fault| fault.code == FaultCode::Deadline)
    }

    /// In what it differs from the file, in words; nothing, if the fault was brought about again.
    pub fn differences(&self, file: &FaultFile) -> Vec<String> {
        let mut differences = Vec::new();
        if let Some(frame) = self.diverged {
            differences.push(format!("frame {frame} of {} was answered in another way", file.frames.len()));
        }
        let Some(fault) = &self.fault else {
            differences.push("nothing failed".to_owned());
            return differences;
        };
        let expected = if file.call == FaultedCall::Revival { Place::Revival } else { Place::Call };
        if fault.place != expected {
            differences.push(match fault.place {
                Place::Revival => "it failed while its instance was made".to_owned(),
                Place::Before(frame) => format!("it failed in frame {frame}, before the call that failed"),
                Place::Call => "it failed in the call".to_owned(),
            });
        }
        if fault.code != file.code {
            differences.push(format!("it failed with {} instead of {}", fault.code, file.code));
            return differences;
        }
        // How much memory there was before depends on the life before the snapshot, and with it what was asked for.
        if fault.detail != file.detail && file.code != FaultCode::OutOfMemory {
            differences.push(format!("the cause reads {:?}", fault.detail));
        }
        if fault.backtrace != file.backtrace {
            differences.push("it failed in other functions".to_owned());
        }
        if fault.fuel_charged != file.fuel_charged {
            differences.push(format!("fuel of {} instead of {}", fault.fuel_charged, file.fuel_charged));
        }
        differences
    }
}

/// Runs through the calls of a file. Guest code runs: call it in a confined process (RULES C4).
pub fn replay<I: Imports>(file: &FaultFile, program: Program<I>) -> Replay {
    let mut diverged = None;
    let fault = run(file, program, &mut diverged).err();
    Replay { fault, diverged }
}

fn run<I: Imports>(
    file: &FaultFile,
    program: Program<I>,
    diverged: &mut Option<usize>,
) -> Result<(), ReplayedFault> {
    let limits = CellLimits { deadline_ms: HANG_GUARD_MS, ..file.limits };
    let mut guest = Guest::start(program, limits).map_err(|failed| cell(Place::Revival, failed.1))?;
    if let Err(refusal) = guest.init(&file.setup).map_err(|fault| cell(Place::Revival, fault))? {
        return Err(refused(FaultCode::Init, &refusal));
    }
    if let Some(snapshot) = &file.snapshot {
        let restored = guest.restore(snapshot.version, &snapshot.bytes);
        if let Err(refusal) = restored.map_err(|fault| cell(Place::Revival, fault))? {
            return Err(refused(FaultCode::Restore, &refusal));
        }
    }
    for (number, past) in file.frames.iter().enumerate() {
        let answer = guest.on_frame(&past.frame).map_err(|fault| cell(Place::Before(number), fault))?;
        if outcome_digest(&answer.outcome) != past.outcome {
            diverged.get_or_insert(number);
        }
    }
    match &file.call {
        FaultedCall::Revival | FaultedCall::None => Ok(()),
        FaultedCall::Snapshot => guest.snapshot().map(drop).map_err(|fault| cell(Place::Call, fault)),
        FaultedCall::Frame { frame, timers } => {
            let answer = guest.on_frame(frame).map_err(|fault| cell(Place::Call, fault))?;
            let timers = FaultFile::timers(timers);
            // The cell does not know the stop rule, the gateway does.
            let judged = frame_marks(frame).map(|(lookahead, marks)| {
                check_outcome(&marks, &timers, lookahead, &answer.outcome).map(drop)
            });
            match judged {
                None | Some(Ok(())) => Ok(()),
                Some(Err(broken)) => Err(ReplayedFault {
                    place: Place::Call,
                    code: FaultCode::Protocol,
                    detail: broken.to_string(),
                    backtrace: Vec::new(),
                    fuel_charged: 0,
                }),
            }
        }
    }
}

fn cell(place: Place, fault: CellFault) -> ReplayedFault {
    let CellFault { kind, detail, backtrace, fuel_charged, .. } = fault;
    ReplayedFault { place, code: kind.code(), detail, backtrace, fuel_charged }
}

fn refused(code: FaultCode, refusal: &dyn core::fmt::Display) -> ReplayedFault {
    let detail = refusal.to_string();
    ReplayedFault { place: Place::Revival, code, detail, backtrace: Vec::new(), fuel_charged: 0 }
}
