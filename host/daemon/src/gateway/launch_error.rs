//! Why a strategy does not start: a stable code, and words for the operator.

use core::fmt::Display;

/// Why a strategy does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub(crate) struct LaunchError {
    /// Stable, upper case with underscores.
    pub(crate) code: &'static str,
    /// What is wrong and the way out.
    pub(crate) detail: String,
}

impl LaunchError {
    pub(crate) fn new(code: &'static str, detail: impl Display) -> Self {
        Self { code, detail: detail.to_string() }
    }
}

impl From<portcullis_bundle::Refusal> for LaunchError {
    fn from(refusal: portcullis_bundle::Refusal) -> Self {
        Self::new(refusal.code(), format!("{refusal}. {}", refusal.fix()))
    }
}
