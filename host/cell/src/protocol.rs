//! What travels between the gateway, the runner and the cells. Every type that comes from the more exposed side (a cell, or
//! a guest through it) checks its own bounds when it is decoded, so that holding one means it fits.

mod bounded;
mod cell;
mod description;
mod runner;

pub(crate) use bounded::{bytes, cut, line, lines, list, text, write_bytes};
pub use cell::{
    ACTIONS_PER_FRAME_MAX, BACKTRACE_FRAMES_MAX, BACKTRACE_LINE_BYTES_MAX, CELL_PROTOCOL,
    CELL_REPLY_BYTES_MAX, CellFault, CellReply, CellRequest, FAULT_DETAIL_BYTES_MAX, FaultKind, FrameOutcome,
    InitRefusal, LOG_LINE_BYTES_MAX, METRIC_NAME_BYTES_MAX, MemoryUse, RestoreRefusal, SNAPSHOT_BYTES_MAX,
    Setup, Snapshot,
};
pub use description::{
    Description, DescriptionParts, InvalidDescription, Parameter, ParameterKind, Stream, Subscription,
};
pub(crate) use runner::Join;
pub use runner::{
    CellExit, CellId, CellLimits, CellPlace, CompileLimits, ExitStatus, InvalidLimits,
    RUNNER_MESSAGE_BYTES_MAX, RUNNER_PROTOCOL, RunnerMessage, RunnerRequest, SharedCellName,
};
