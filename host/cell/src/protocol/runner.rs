//! Between the gateway and the runner. Requests and answers come in pairs; [`RunnerMessage::Exited`] comes unasked.

use portcullis_core::{Digest, StrategyName};
use portcullis_role::Protocol;
use serde::{Deserialize, Serialize};

use super::bounded::{line, one_line};

/// The protocol between gateway and runner.
pub const RUNNER_PROTOCOL: Protocol = Protocol { name: "runner", tag: *b"RUNR", version: 1 };

/// Longest message either way in bytes; bulk travels as sealed memory files.
pub const RUNNER_MESSAGE_BYTES_MAX: usize = 4_096;

const DETAIL_BYTES_MAX: usize = 1_024;

/// The gateway's number for a cell, never reused in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CellId(pub u32);

/// What the gateway asks of the runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunnerRequest {
    /// Compiles the component in the one descriptor, a sealed memory file. → `Compiled` or `CompileFailed`.
    Compile(CompileLimits),
    /// Starts a cell on the artifact in the one descriptor, a sealed memory file. → `Started` or `StartFailed`.
    Start {
        /// Its number.
        cell: CellId,
        /// The deployment's name, for process lists and logs.
        name: StrategyName,
        /// Its limits.
        limits: CellLimits,
        /// The process to run it in.
        place: CellPlace,
    },
    /// Ends a cell if it is there: its process is killed, unless others run in it. → `Stopped`.
    Stop {
        /// Its number.
        cell: CellId,
    },
    /// Kills the process a cell is in, whoever else runs there, because it does not answer. → `Stopped`, and `Exited` for the others.
    Kill {
        /// Its number.
        cell: CellId,
    },
}

/// In which process a strategy runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CellPlace {
    /// One of its own.
    #[default]
    Own,
    /// The one of this name, together with whoever else is there.
    Shared(SharedCellName),
    /// One of its own, of the binary that offers WASI.
    Wasi,
}

/// The operator's name for a process that several strategies share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SharedCellName(StrategyName);

impl SharedCellName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::fmt::Display for SharedCellName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for SharedCellName {
    type Err = <StrategyName as std::str::FromStr>::Err;

    /// Reads a name, which is formed like a strategy's.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What the runner tells a shared cell: serve one more strategy, on the two descriptors, its socket and its sealed artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Join {
    /// The deployment's name, for logs.
    pub(crate) name: StrategyName,
    /// Its limits.
    pub(crate) limits: CellLimits,
}

/// What the runner says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunnerMessage {
    /// The artifact is in the one descriptor, a sealed memory file.
    Compiled {
        /// The engine it was compiled for.
        engine: Digest,
    },
    /// The component did not compile, or not within its limits.
    CompileFailed {
        /// Whether it would fail again: no machine out of memory, no kill, no full disk.
        lasting: bool,
        /// For the operator.
        #[serde(deserialize_with = "line::<_, DETAIL_BYTES_MAX>")]
        detail: String,
    },
    /// The cell runs; the gateway's end of its socket is the one descriptor.
    Started {
        /// Its number.
        cell: CellId,
        /// Its process.
        pid: u32,
    },
    /// The cell does not run.
    StartFailed {
        /// Its number.
        cell: CellId,
        /// For the operator.
        #[serde(deserialize_with = "line::<_, DETAIL_BYTES_MAX>")]
        detail: String,
    },
    /// The cell is gone, for whatever reason.
    Stopped {
        /// Its number.
        cell: CellId,
    },
    /// A cell ended by itself.
    Exited(CellExit),
}

impl RunnerMessage {
    /// A [`CompileFailed`](Self::CompileFailed) whose text is a line within the bound.
    pub(crate) fn compile_failed(lasting: bool, detail: String) -> Self {
        Self::CompileFailed { lasting, detail: one_line(detail, DETAIL_BYTES_MAX) }
    }

    /// A [`StartFailed`](Self::StartFailed) whose text is a line within the bound.
    pub(crate) fn start_failed(cell: CellId, detail: String) -> Self {
        Self::StartFailed { cell, detail: one_line(detail, DETAIL_BYTES_MAX) }
    }
}

/// The end of a cell that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellExit {
    /// Its number.
    pub cell: CellId,
    /// How it ended.
    pub status: ExitStatus,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    /// By itself, with this code.
    Code(i32),
    /// Killed by this signal.
    Signal(i32),
}

impl std::fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

impl From<std::process::ExitStatus> for ExitStatus {
    fn from(status: std::process::ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;

        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

/// How much of everything a cell's guest may use: the signed manifest's limits, tightened by the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedLimits")]
pub struct CellLimits {
    /// Memory over all linear memories, in bytes; 64 KiB to 64 MiB.
    pub memory_bytes_max: u64,
    /// Fuel for each event of a frame, about one unit a wasm instruction; 1 to 10^10.
    pub fuel_per_event: u64,
    /// Wall time for one call with a frame, in milliseconds; 1 to 1,000.
    pub deadline_ms: u32,
    /// Actions for each event; 1 to 32.
    pub actions_per_event_max: u32,
    /// Log bytes for each event; at most 64 KiB. What is above is cut.
    pub log_bytes_max: u32,
}

/// Which limit is out of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is out of range")]
pub struct InvalidLimits(pub &'static str);

impl CellLimits {
    /// These limits, if each is in its range.
    ///
    /// # Errors
    ///
    /// Names the first that is not.
    pub fn checked(self) -> Result<Self, InvalidLimits> {
        let ranges = [
            ("memory_bytes_max", self.memory_bytes_max, 64 << 10, crate::engine::MEMORY_BYTES_CEILING),
            ("fuel_per_event", self.fuel_per_event, 1, 10_000_000_000),
            ("deadline_ms", self.deadline_ms.into(), 1, 1_000),
            ("actions_per_event_max", self.actions_per_event_max.into(), 1, 32),
            ("log_bytes_max", self.log_bytes_max.into(), 0, 64 << 10),
        ];
        match ranges.into_iter().find(|(_, value, min, max)| value < min || value > max) {
            Some((name, ..)) => Err(InvalidLimits(name)),
            None => Ok(self),
        }
    }
}

#[derive(Deserialize)]
struct UncheckedLimits {
    memory_bytes_max: u64,
    fuel_per_event: u64,
    deadline_ms: u32,
    actions_per_event_max: u32,
    log_bytes_max: u32,
}

impl TryFrom<UncheckedLimits> for CellLimits {
    type Error = InvalidLimits;

    fn try_from(unchecked: UncheckedLimits) -> Result<Self, InvalidLimits> {
        let UncheckedLimits {
            memory_bytes_max,
            fuel_per_event,
            deadline_ms,
            actions_per_event_max,
            log_bytes_max,
        } = unchecked;
        Self { memory_bytes_max, fuel_per_event, deadline_ms, actions_per_event_max, log_bytes_max }.checked()
    }
}

/// What one compilation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileLimits {
    /// Address space in bytes.
    pub memory_bytes_max: u64,
    /// Processor time in seconds.
    pub cpu_s: u32,
    /// Time on the wall clock in seconds, after which the child is killed.
    pub wall_s: u32,
}

impl CompileLimits {
    /// For a component of at most 2 MiB compiled from Rust or C.
    pub const NATIVE: Self = Self { memory_bytes_max: 1 << 30, cpu_s: 25, wall_s: 30 };
    /// For a component that carries a language runtime.
    pub const SCRIPT: Self = Self { memory_bytes_max: 4 << 30, cpu_s: 110, wall_s: 120 };
}
