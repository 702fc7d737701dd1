//! How a command fails, and with which exit code: 1 finding or refusal, 2 usage, 3 environment.

use std::process::ExitCode;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was asked about is wrong: a refused bundle, a broken journal.
    #[error("{detail}")]
    Finding {
        /// Stable code.
        code: String,
        /// What is wrong, the limit and the fix.
        detail: String,
    },
    /// The command line or a configuration file is wrong.
    #[error("{0}")]
    Usage(String),
    /// The machine lacks something: a port, a file, a process, a tool.
    #[error("{0:#}")]
    Environment(#[from] anyhow::Error),
}

impl Failure {
    /// A finding with a stable code.
    pub(crate) fn finding(code: impl Into<String>, detail: impl ToString) -> Self {
        Self::Finding { code: code.into(), detail: detail.to_string() }
    }

    /// The stable code of this failure.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Finding { code, .. } => code,
            Self::Usage(_) => "USAGE",
            Self::Environment(_) => "ENVIRONMENT",
        }
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Finding { .. } => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
        })
    }
}
