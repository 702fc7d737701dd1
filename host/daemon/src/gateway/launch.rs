//! One strategy's way from a bundle to running. Every strategy takes it, whether it stands in the configuration, was deployed in
//! an earlier session, or was uploaded just now.
//!
//! ```text
//! bundle ─▶ checked ─▶ (compiled) ─▶ cell ─▶ described ─▶ instruments followed ─▶ started ─▶ running
//! ```

use std::time::{Duration, Instant};

use portcullis_cell::{CellId, CellLink, CellPlace, CellReply, CellRequest, Description, SealedArtifact};
use portcullis_core::{StrategyId, StrategyName};
use portcullis_role::{DeploymentLine, DeploymentState};

use crate::config::StrategyConfig;
use crate::gateway::candidate::{Checked, Code, Settled};
use crate::gateway::launch_error::LaunchError;

/// Longest wait for a cell to load its artifact and describe itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// One strategy's way.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) id: u64,
    pub(crate) name: StrategyName,
    pub(crate) config: StrategyConfig,
    pub(crate) source: Source,
    /// `name-version` of the bundle once it is checked, the file's name before.
    pub(crate) label: String,
    /// The bundle's digest in hex, once it is checked.
    pub(crate) digest: String,
    pub(crate) stage: Stage,
}

/// Where the wish comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The configuration file: it must start, or the gateway does not.
    Configured,
    /// A deployment of an earlier session: it is tried, and kept in the file whatever comes of it.
    Kept,
    /// An upload: what fails is forgotten.
    Uploaded,
}

/// How far it is.
#[derive(Debug)]
pub(crate) enum Stage {
    /// The worker verifies the bundle.
    Checking,
    /// To be compiled, or started.
    Checked(Box<Checked>, Code),
    /// The runner compiles.
    Compiling(Box<Checked>),
    /// The worker takes the artifact over.
    Storing(Box<Checked>),
    /// The cell loads its artifact and describes itself.
    Describing(Box<Cell>),
    /// The venue looks the instruments up.
    Following(Box<Cell>, Settled),
    /// The pipeline has it; its first instance is being made.
    Started(StrategyId),
    /// It runs.
    Running,
    /// It came to nothing.
    Failed(LaunchError),
}

/// A cell that belongs to no strategy yet.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) checked: Box<Checked>,
    pub(crate) artifact: SealedArtifact,
    /// The process it shares with others, if it does.
    pub(crate) place: CellPlace,
    pub(crate) id: CellId,
    pub(crate) pid: u32,
    pub(crate) link: CellLink,
    pub(crate) since: Instant,
}

impl Launch {
    /// Whether nothing more comes of it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Running | Stage::Failed(_))
    }

    /// Whether the pipeline has it, or never will.
    pub(crate) fn has_left(&self) -> bool {
        self.is_over() || matches!(self.stage, Stage::Started(_))
    }

    /// What an operator is told.
    pub(crate) fn line(&self) -> DeploymentLine {
        let state = match self.stage {
            Stage::Checking | Stage::Checked(..) | Stage::Compiling(_) | Stage::Storing(_) => {
                DeploymentState::Compiling
            }
            Stage::Describing(_) | Stage::Following(..) | Stage::Started(_) => DeploymentState::Starting,
            Stage::Running => DeploymentState::Running,
            Stage::Failed(_) => DeploymentState::Failed,
        };
        let error = match &self.stage {
            Stage::Failed(error) => Some(error),
            Stage::Checking
            | Stage::Checked(..)
            | Stage::Compiling(_)
            | Stage::Storing(_)
            | Stage::Describing(_)
            | Stage::Following(..)
            | Stage::Started(_)
            | Stage::Running => None,
        };
        DeploymentLine {
            id: self.id,
            strategy: self.name.to_string(),
            bundle: self.label.clone(),
            digest: self.digest.clone(),
            state,
            code: error.map(|error| error.code.to_owned()),
            detail: error.map(|error| error.detail.clone()),
        }
    }
}

impl Cell {
    /// Asks the strategy to describe itself.
    pub(crate) fn ask(&mut self) -> Result<(), LaunchError> {
        self.link.send(&CellRequest::Describe).map_err(|error| failed(&error))
    }

    /// The strategy's description, once it is here.
    pub(crate) fn poll(&mut self) -> Result<Option<Description>, LaunchError> {
        if self.link.wants_write() {
            self.link.flush().map_err(|error| failed(&error))?;
        }
        match self.link.try_receive().map_err(|error| failed(&error))? {
            Some(CellReply::Described(description)) => Ok(Some(description)),
            Some(CellReply::Fault(fault)) => Err(failed(&fault)),
            Some(_) => Err(failed(&"the cell answered out of turn")),
            None if self.since.elapsed() > PATIENCE => {
                Err(failed(&format!("no answer within {} s", PATIENCE.as_secs())))
            }
            None => Ok(None),
        }
    }
}

fn failed(error: &dyn core::fmt::Display) -> LaunchError {
    LaunchError::new("DESCRIBE_FAILED", format!("the strategy did not describe itself: {error}"))
}
