//! What a guest may import. In this crate that is nothing; the binary of the `wasi` tier brings a fixed, deterministic set of its own,
//! so that no code of WASI is built into anything else.

use portcullis_core::{Action, ActionBody, LogLevel, Timestamp};
use wasmtime::component::Linker;

use crate::limiter::Limiter;
use crate::protocol::{ACTIONS_PER_FRAME_MAX, LOG_LINE_BYTES_MAX, Setup, cut};

/// A set of imports and its state, one value for each instance of a guest. It must be a function of what the guest was given: no
/// clock, no randomness, no file, no socket of the host.
pub trait Imports: Send + Sized + 'static {
    /// The state of a new instance.
    fn new() -> Self;

    /// Puts the imports where guests find them. What is not put there cannot be imported.
    ///
    /// # Errors
    ///
    /// When a name is given twice.
    fn link(linker: &mut Linker<StoreData<Self>>) -> wasmtime::Result<()>;

    /// The strategy is about to be prepared with `setup`, whose values are in the journal.
    fn prepare(&mut self, setup: &Setup);

    /// The guest is about to be entered at this event time.
    fn enter(&mut self, at: Timestamp);

    /// Lines the guest wrote since it was last asked, the oldest first. Bounded by whoever keeps them.
    fn take_lines(&mut self) -> Vec<OutputLine>;
}

/// A line of a guest's standard output or standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    /// `Info` for output, `Warn` for errors.
    pub level: LogLevel,
    /// The text, without the end of the line.
    pub text: String,
}

/// No imports.
impl Imports for () {
    fn new() -> Self {}

    fn link(_: &mut Linker<StoreData<Self>>) -> wasmtime::Result<()> {
        Ok(())
    }

    fn prepare(&mut self, _: &Setup) {}

    fn enter(&mut self, _: Timestamp) {}

    fn take_lines(&mut self) -> Vec<OutputLine> {
        Vec::new()
    }
}

/// What the store of a guest carries.
#[derive(Debug)]
pub struct StoreData<I> {
    pub(crate) limiter: Limiter,
    /// The state of the guest's imports.
    pub imports: I,
}

/// Appends what the guest wrote to its actions as log lines of the last event it consumed: as many as fit into `actions_left` and
/// `bytes_left`.
pub(crate) fn append_lines(
    lines: Vec<OutputLine>,
    actions: &mut Vec<Action>,
    cause: u32,
    actions_left: usize,
    mut bytes_left: usize,
) {
    let room = ACTIONS_PER_FRAME_MAX.saturating_sub(actions.len()).min(actions_left);
    for OutputLine { level, mut text } in lines.into_iter().take(room) {
        cut(&mut text, LOG_LINE_BYTES_MAX.min(bytes_left));
        bytes_left = bytes_left.saturating_sub(text.len());
        if text.is_empty() {
            continue;
        }
        actions.push(Action { cause, body: ActionBody::Log { level, message: text } });
    }
}
