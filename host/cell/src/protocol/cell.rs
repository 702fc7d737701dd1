//! Between the gateway and one cell: a request, then its reply, one at a time.

use portcullis_core::{Action, ActionBody, Amount, Blame, FaultCode, InstrumentSpec, Outcome, Timestamp};
use portcullis_role::Protocol;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::Description;
use super::bounded::{bytes, line, lines, list, one_line, write_bytes};

/// The protocol between gateway and cell.
pub const CELL_PROTOCOL: Protocol = Protocol { name: "cell", tag: *b"CELL", version: 1 };

/// Most actions one frame may cause, by the contract.
pub const ACTIONS_PER_FRAME_MAX: usize = 4_096;

/// Longest log line in bytes; the cell cuts longer ones.
pub const LOG_LINE_BYTES_MAX: usize = 1_024;

/// Longest name of a metric in bytes.
pub const METRIC_NAME_BYTES_MAX: usize = 48;

/// Longest snapshot in bytes.
pub const SNAPSHOT_BYTES_MAX: usize = 256 * 1024;

/// Longest detail of a fault in bytes.
pub const FAULT_DETAIL_BYTES_MAX: usize = 512;

/// Most functions of a backtrace.
pub const BACKTRACE_FRAMES_MAX: usize = 32;

/// Longest line of a backtrace in bytes.
pub const BACKTRACE_LINE_BYTES_MAX: usize = 192;

/// Longest reply of a cell in bytes: a full action list whose log lines use up what a guest may hand over in one call.
pub const CELL_REPLY_BYTES_MAX: usize = 2 * 1024 * 1024;

const REASON_BYTES_MAX: usize = 256;

/// What the gateway asks of a cell. Bytes are borrowed: a frame is copied into the guest and nowhere else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CellRequest<'a> {
    /// What is the strategy? → [`CellReply::Described`].
    Describe,
    /// Prepares it, once an instance. → [`CellReply::Ready`] or [`CellReply::InitRefused`].
    Init(Setup),
    /// One frame. → [`CellReply::Outcome`].
    Frame(#[serde(serialize_with = "write_bytes")] &'a [u8]),
    /// Its state. → [`CellReply::Snapshot`].
    Snapshot,
    /// Takes over a state, after `Init`. → [`CellReply::Ready`] or [`CellReply::RestoreRefused`].
    Restore {
        /// `snapshot_version` of the description the bytes were taken under.
        version: u32,
        /// The snapshot.
        #[serde(serialize_with = "write_bytes")]
        bytes: &'a [u8],
    },
    /// Throws the instance away and makes a new one; the only request a cell serves after a fault. → [`CellReply::Ready`].
    Reset,
}

/// What a strategy is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Name and value of every parameter, checked against the description.
    pub parameters: Vec<(String, String)>,
    /// The strategy's instruments; its own numbers are indices into this list.
    pub instruments: Vec<InstrumentSpec>,
    /// The capital it may use.
    pub budget: Amount,
    /// Event time of the start.
    pub start_time: Timestamp,
}

/// What a cell answers. To any request it may answer [`Fault`](Self::Fault).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CellReply {
    /// To `Describe`.
    Described(Description),
    /// To `Init`, `Restore` and `Reset`.
    Ready,
    /// The strategy does not want to start like this; not a fault.
    InitRefused(InitRefusal),
    /// The strategy cannot read the snapshot; not a fault.
    RestoreRefused(RestoreRefusal),
    /// To `Frame`.
    Outcome(FrameOutcome),
    /// To `Snapshot`.
    Snapshot(Snapshot),
    /// The guest or the cell failed; the instance is gone.
    Fault(CellFault),
}

/// What a frame caused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameOutcome {
    /// What the strategy returned; causes and counts are in the contract's bounds.
    #[serde(deserialize_with = "outcome")]
    pub outcome: Outcome,
    /// Fuel it took.
    pub fuel: u64,
}

/// A strategy's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `snapshot_version` of the description.
    pub version: u32,
    /// At most [`SNAPSHOT_BYTES_MAX`] bytes.
    #[serde(serialize_with = "write_bytes", deserialize_with = "bytes::<_, SNAPSHOT_BYTES_MAX>")]
    pub bytes: Vec<u8>,
}

/// Why a strategy does not start; texts of at most 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InitRefusal {
    /// A parameter makes no sense in combination.
    #[error("bad parameter: {0}")]
    BadParameter(#[serde(deserialize_with = "line::<_, REASON_BYTES_MAX>")] String),
    /// An instrument cannot be traded by this strategy.
    #[error("unsuitable instrument: {0}")]
    UnsuitableInstrument(#[serde(deserialize_with = "line::<_, REASON_BYTES_MAX>")] String),
    /// Anything else.
    #[error("{0}")]
    Other(#[serde(deserialize_with = "line::<_, REASON_BYTES_MAX>")] String),
}

impl InitRefusal {
    /// The refusal with its text cut to the bound and on one line.
    pub(crate) fn bounded(mut self) -> Self {
        match &mut self {
            Self::BadParameter(text) | Self::UnsuitableInstrument(text) | Self::Other(text) => {
                *text = one_line(std::mem::take(text), REASON_BYTES_MAX);
            }
        }
        self
    }
}

/// Why a snapshot was not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum RestoreRefusal {
    /// This build cannot read snapshots of that version.
    #[error("the strategy cannot read snapshots of that version")]
    UnsupportedVersion,
    /// The bytes are damaged.
    #[error("the strategy says that the snapshot is damaged")]
    Malformed,
}

/// The first cause of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct CellFault {
    /// Whose fault, and what kind.
    pub kind: FaultKind,
    /// For author and operator: the trap, the innermost functions it happened in, the numbers. Guest text in it is not to be trusted.
    #[serde(deserialize_with = "line::<_, FAULT_DETAIL_BYTES_MAX>")]
    pub detail: String,
    /// The functions it happened in, the innermost first, as far as they are known.
    #[serde(deserialize_with = "lines::<_, BACKTRACE_FRAMES_MAX, BACKTRACE_LINE_BYTES_MAX>")]
    pub backtrace: Vec<String>,
    /// Fuel to charge: the whole budget of the call, because what a trapped call really used is not known for sure.
    pub fuel_charged: u64,
    /// Memory it had, and asked for.
    pub memory: MemoryUse,
}

/// What a guest had of memory when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MemoryUse {
    /// Bytes of all its linear memories, which never shrink.
    pub bytes: u64,
    /// Bytes it would have had with the first growth that was refused, if one was.
    pub asked_bytes: Option<u64>,
}

impl CellFault {
    /// A fault without a backtrace; the detail is cut to its bound and freed of control characters.
    pub(crate) fn new(kind: FaultKind, detail: impl Into<String>, fuel_charged: u64) -> Self {
        let detail = one_line(detail.into(), FAULT_DETAIL_BYTES_MAX);
        Self { kind, detail, backtrace: Vec::new(), fuel_charged, memory: MemoryUse::default() }
    }

    /// The fault with the functions it happened in, cut to their bounds.
    pub(crate) fn within(mut self, backtrace: impl Iterator<Item = String>) -> Self {
        self.backtrace = backtrace
            .take(BACKTRACE_FRAMES_MAX)
            .map(|line| one_line(line, BACKTRACE_LINE_BYTES_MAX))
            .collect();
        self
    }
}

/// Kinds of fault. All but [`Host`](Self::Host) and [`Overload`](Self::Overload) are the guest's and consume a strike (DESIGN §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FaultKind {
    /// The guest trapped: a panic, a wild pointer, a stack overflow.
    Trap,
    /// It used up its fuel.
    OutOfFuel,
    /// It ran past its deadline on the wall clock.
    Deadline,
    /// It asked for more memory than it may have, and could not go on.
    OutOfMemory,
    /// It returned something the contract forbids.
    Protocol,
    /// Not the guest: the cell could not load it, or was asked out of turn.
    Host,
    /// Not the guest: its deadline passed while it was not let near a processor.
    Overload,
}

impl FaultKind {
    /// The kind in the words of logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::OutOfFuel => "out of fuel",
            Self::Deadline => "deadline",
            Self::OutOfMemory => "out of memory",
            Self::Protocol => "protocol",
            Self::Host => "host",
            Self::Overload => "overload",
        }
    }

    /// The kind in the words of the journal.
    pub const fn code(self) -> FaultCode {
        match self {
            Self::Trap => FaultCode::Trap,
            Self::OutOfFuel => FaultCode::OutOfFuel,
            Self::Deadline => FaultCode::Deadline,
            Self::OutOfMemory => FaultCode::OutOfMemory,
            Self::Protocol => FaultCode::Protocol,
            Self::Host => FaultCode::Host,
            Self::Overload => FaultCode::Overload,
        }
    }

    /// Whether the guest is to blame.
    pub const fn is_guests(self) -> bool {
        matches!(self.code().blame(), Blame::Guest)
    }
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

fn outcome<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
    #[derive(Deserialize)]
    struct Wire {
        consumed: u32,
        #[serde(deserialize_with = "list::<_, Action, ACTIONS_PER_FRAME_MAX>")]
        actions: Vec<Action>,
    }

    let Wire { consumed, actions } = Wire::deserialize(deserializer)?;
    for action in &actions {
        let fits = match &action.body {
            ActionBody::Log { message, .. } => message.len() <= LOG_LINE_BYTES_MAX,
            ActionBody::Metric { name, .. } => name.len() <= METRIC_NAME_BYTES_MAX,
            ActionBody::Place(_)
            | ActionBody::Amend(_)
            | ActionBody::Cancel(_)
            | ActionBody::CancelAll(_)
            | ActionBody::Flatten(_)
            | ActionBody::SetTimer { .. } => true,
        };
        if !fits {
            return Err(D::Error::custom("a text of an action is too long"));
        }
    }
    Ok(Outcome { consumed, actions })
}
