//! What goes wrong with a strategy, in stable words, and whose doing it is.

use serde::{Deserialize, Serialize};

/// Whose fault a failure is. A third cause, missing market data, is no failure at all and is told apart as a gap
/// ([`StrategyChange::DataGap`](crate::StrategyChange::DataGap)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Blame {
    /// The strategy's. Only such faults consume its restart budget.
    Guest,
    /// The host's: an overloaded machine, a killed process.
    Host,
}

impl Blame {
    /// The word in status, journal and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Host => "host",
        }
    }
}

impl core::fmt::Display for Blame {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong. The code decides the blame, so that no record can hold a pair that contradicts itself. New ones are added at the
/// end: the journal stores their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum FaultCode {
    /// A panic, a wild pointer, a stack overflow.
    Trap = 0,
    /// A call used up its fuel.
    OutOfFuel = 1,
    /// A call ran past its deadline on the wall clock, with the processor to itself.
    Deadline = 2,
    /// More memory than allowed was asked for.
    OutOfMemory = 3,
    /// An answer that the contract or the stop rule forbids.
    Protocol = 4,
    /// The strategy refused to be initialised.
    Init = 5,
    /// The strategy refused its own snapshot.
    Restore = 6,
    /// More intents than its bucket holds, for a whole second.
    Flood = 7,
    /// The strategy's code brought its process down: a forbidden system call, or an invalid access outside of its sandbox.
    Crash = 8,
    /// A deadline passed while the machine did not let the strategy run.
    Overload = 9,
    /// Its process could not be started.
    Start = 10,
    /// Its process was killed or lost, or the host made a mistake.
    Host = 11,
}

impl FaultCode {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::Trap,
        Self::OutOfFuel,
        Self::Deadline,
        Self::OutOfMemory,
        Self::Protocol,
        Self::Init,
        Self::Restore,
        Self::Flood,
        Self::Crash,
        Self::Overload,
        Self::Start,
        Self::Host,
    ];

    /// The word in logs, journal, status and file names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "TRAP",
            Self::OutOfFuel => "OUT_OF_FUEL",
            Self::Deadline => "DEADLINE",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::Protocol => "PROTOCOL",
            Self::Init => "INIT",
            Self::Restore => "RESTORE",
            Self::Flood => "FLOOD",
            Self::Crash => "CRASH",
            Self::Overload => "OVERLOAD",
            Self::Start => "START",
            Self::Host => "HOST",
        }
    }

    /// Whose fault it is.
    pub const fn blame(self) -> Blame {
        match self {
            Self::Trap
            | Self::OutOfFuel
            | Self::Deadline
            | Self::OutOfMemory
            | Self::Protocol
            | Self::Init
            | Self::Restore
            | Self::Flood
            | Self::Crash => Blame::Guest,
            Self::Overload | Self::Start | Self::Host => Blame::Host,
        }
    }

    /// Whether the same code, state and frames bring it about again on any machine. The others depend on clocks, processes and
    /// other machines' work, and nobody can promise that they come again.
    pub const fn is_reproducible(self) -> bool {
        match self {
            Self::Trap
            | Self::OutOfFuel
            | Self::OutOfMemory
            | Self::Protocol
            | Self::Init
            | Self::Restore => true,
            Self::Deadline | Self::Flood | Self::Crash | Self::Overload | Self::Start | Self::Host => false,
        }
    }
}

impl core::fmt::Display for FaultCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure of a strategy, as the gate is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyFailure {
    /// What went wrong.
    pub code: FaultCode,
    /// The first cause in words, at most 512 bytes.
    pub detail: String,
    /// Name of the file with the evidence, below `faults` in the data directory; `None` when none is kept.
    pub evidence: Option<String>,
}

impl core::fmt::Display for StrategyFailure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.code.blame(), self.detail)
    }
}
