//! The strategy's own code, as the lab calls it.

use portcullis_cell::CellFault;
use portcullis_core::Outcome;

/// Something that takes frames and answers with actions: a component, or the same strategy compiled natively.
pub trait Guest {
    /// Hands over a frame.
    ///
    /// # Errors
    ///
    /// When the strategy fails; the run ends with it.
    fn on_frame(&mut self, frame: &[u8]) -> Result<Outcome, GuestFault>;
}

impl Guest for portcullis_cell::Guest {
    fn on_frame(&mut self, frame: &[u8]) -> Result<Outcome, GuestFault> {
        portcullis_cell::Guest::on_frame(self, frame).map(|answer| answer.outcome).map_err(GuestFault::from)
    }
}

impl From<CellFault> for GuestFault {
    fn from(fault: CellFault) -> Self {
        Self { code: fault.kind.code().as_str(), detail: fault.detail }
    }
}

/// How a strategy failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct GuestFault {
    /// Stable: `TRAP`, `OUT_OF_FUEL`, `DEADLINE`, `OUT_OF_MEMORY`, `PROTOCOL`, `FLOOD`, `STUCK`, `HOST`.
    pub code: &'static str,
    /// The first cause in words.
    pub detail: String,
}
