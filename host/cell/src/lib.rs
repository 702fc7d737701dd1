//! Where guest code runs: engine settings, bindings, calls, faults, and the roles `cell`, `runner` and `compile`.

mod artifact;
mod bindings;
mod client;
mod compile;
mod compile_failure;
mod contract;
mod engine;
mod fault;
mod frame;
mod guest;
mod imports;
mod limiter;
mod protocol;
mod roles;
mod ticker;

pub use artifact::{
    ARTIFACT_BYTES_MAX, Artifact, ArtifactError, ArtifactKey, CompiledArtifact, SealedArtifact,
};
pub use bindings::CONTRACTS;
pub use client::{CellLink, LinkError, RunnerClient, RunnerError, StartedCell};
pub use compile::{CompileError, compile, component_digest};
pub use compile_failure::CompileAttempt;
pub use engine::{CellEngine, EngineError, engine_digest};
pub use fault::{
    FAULT_FILE_BYTES_MAX, FaultFile, FaultFileError, FaultedCall, PastFrame, Place, Replay, ReplayedFault,
    outcome_digest, replay,
};
pub use guest::{Guest, LoadError, Program};
pub use imports::{Imports, OutputLine, StoreData};
pub use protocol::{
    ACTIONS_PER_FRAME_MAX, BACKTRACE_FRAMES_MAX, BACKTRACE_LINE_BYTES_MAX, CELL_PROTOCOL,
    CELL_REPLY_BYTES_MAX, CellExit, CellFault, CellId, CellLimits, CellPlace, CellReply, CellRequest,
    CompileLimits, Description, DescriptionParts, ExitStatus, FAULT_DETAIL_BYTES_MAX, FaultKind,
    FrameOutcome, InitRefusal, InvalidDescription, InvalidLimits, LOG_LINE_BYTES_MAX, METRIC_NAME_BYTES_MAX,
    MemoryUse, Parameter, ParameterKind, RUNNER_MESSAGE_BYTES_MAX, RUNNER_PROTOCOL, RestoreRefusal,
    RunnerMessage, RunnerRequest, SNAPSHOT_BYTES_MAX, Setup, SharedCellName, Snapshot, Stream, Subscription,
};
pub use roles::{
    CELL_ROLE, COMPILE_ROLE, RUNNER_ROLE, RoleError, RunnerConfig, cell_role, cell_role_with, compile_role,
    confine_cell, confine_compiler, confine_shared_cell, runner_role,
};
