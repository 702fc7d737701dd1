//! Bundles deployed into a running gateway, as messages.

use std::collections::BTreeMap;

use portcullis_core::ActorName;
use serde::{Deserialize, Serialize};

use super::upload_name::UploadName;

/// A bundle to be deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployRequest {
    /// The file in the data directory's `incoming`, written and synced before this is asked. The gateway takes it away from
    /// there, whatever comes of it.
    pub bundle: UploadName,
    /// Name of the strategy; the bundle's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The capital it may use, in USDT, as decimal text.
    pub budget: String,
    /// Parameters that differ from their defaults.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The process to run it in, shared with others that name it too; one of its own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Who asks; `control-socket` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorName>,
}

/// How far a deployment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentLine {
    /// The number it was accepted under, good as long as the gateway runs.
    pub id: u64,
    /// The strategy's name.
    pub strategy: String,
    /// `name-version` of the bundle.
    pub bundle: String,
    /// SHA-256 of the bundle's signed payload, in hex.
    pub digest: String,
    /// How far it is.
    pub state: DeploymentState,
    /// Why it failed: stable, upper case with underscores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it failed, for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The stages of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentState {
    /// The component is being compiled.
    Compiling,
    /// Its cell is being started and its instruments looked up.
    Starting,
    /// The strategy runs.
    Running,
    /// It came to nothing; code and detail say why.
    Failed,
}

impl DeploymentState {
    /// The word in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compiling => "compiling",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more comes of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Running | Self::Failed)
    }
}
