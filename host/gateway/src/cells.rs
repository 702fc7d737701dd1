//! The place where strategies run, as the pipeline sees it.

use portcullis_core::{FaultCode, Outcome, StrategyId};

/// The cells. The live one speaks to cell processes over sockets; the lab's calls the guest in its own process.
///
/// No method blocks, and a cell has at most one request outstanding (RULES C1).
pub trait Cells {
    /// Hands a frame to a cell; answered by [`CellEvent::Outcome`] or [`CellEvent::Fault`].
    fn frame(&mut self, strategy: StrategyId, frame: &[u8]);

    /// Asks for a snapshot; answered by [`CellEvent::Snapshot`] or [`CellEvent::Fault`].
    fn snapshot(&mut self, strategy: StrategyId);

    /// Makes a new instance, initialises it and hands it the snapshot; answered by [`CellEvent::Ready`] or [`CellEvent::Fault`].
    /// Also how a cell first starts.
    fn revive(&mut self, strategy: StrategyId, snapshot: Option<&Snapshot>);

    /// Ends the cell for good. Nothing more comes from it.
    fn stop(&mut self, strategy: StrategyId);

    /// The next event, if one is there.
    fn poll(&mut self) -> Option<(StrategyId, CellEvent)>;
}

/// A strategy's own state, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Version of the bytes, from the strategy's description.
    pub version: u32,
    /// The bytes; at most 256 KiB.
    pub bytes: Vec<u8>,
}

/// What comes back from a cell.
#[derive(Debug)]
pub enum CellEvent {
    /// A new instance is ready for frames.
    Ready,
    /// The answer to a frame.
    Outcome {
        /// What the strategy did.
        outcome: Outcome,
        /// Fuel the call used, in wasmtime's units.
        fuel: u64,
    },
    /// The answer to a snapshot request.
    Snapshot(Snapshot),
    /// The call failed; the instance is gone.
    Fault(Fault),
}

/// Why a cell failed: the first cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong. Only faults that are the guest's consume its restart budget.
    pub code: FaultCode,
    /// The first cause in words, at most 512 bytes.
    pub detail: String,
    /// What else the cell knows of it.
    pub trace: Trace,
}

/// Where a call was when it failed, and what it had used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// The functions it was in, the innermost first; at most 32 lines.
    pub backtrace: Vec<String>,
    /// Fuel it is charged with.
    pub fuel_charged: u64,
    /// Bytes of memory it had.
    pub memory_bytes: u64,
    /// Bytes it would have had with the growth that was refused, if one was.
    pub memory_asked_bytes: Option<u64>,
}

impl Fault {
    /// A fault of which nothing else is known.
    pub fn new(code: FaultCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), trace: Trace::default() }
    }
}
