//! The three roles of this crate. Each takes what its parent handed over, gives up what it does not need, and then does its
//! one thing until its socket closes.

mod cell;
mod compile;
mod runner;
mod sandbox;

use std::ffi::OsString;

use portcullis_role::MessageError;

pub use cell::{cell_role, cell_role_with};
pub use compile::compile_role;
pub use runner::{RunnerConfig, runner_role};
pub use sandbox::{confine_cell, confine_compiler, confine_shared_cell};

/// Name of the role that runs one strategy.
pub const CELL_ROLE: &str = "cell";

/// Name of the one-shot role that compiles one component.
pub const COMPILE_ROLE: &str = "compile";

/// Name of the role that starts cells and compilers for the gateway.
pub const RUNNER_ROLE: &str = "runner";

/// Why a role ended badly.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// Not started by its parent, or by one of another version.
    #[error("the {role} role is started by portcullis itself, not by hand: {detail}")]
    NotAChild {
        /// Which role.
        role: &'static str,
        /// What was missing.
        detail: String,
    },
    /// The peer broke the protocol; a closed connection is a good end and none of this.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The system refused.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The compile role has written its reason to its descriptor.
    #[error("{0}")]
    Compile(String),
}

impl RoleError {
    fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

/// A number among a role's arguments.
fn number<T: std::str::FromStr>(role: &'static str, argument: Option<&OsString>) -> Result<T, RoleError> {
    argument
        .and_then(|text| text.to_str())
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| RoleError::NotAChild { role, detail: "an argument is missing".to_owned() })
}

/// A descriptor handed over to a role.
fn descriptor(role: &'static str, index: i32) -> Result<std::os::fd::OwnedFd, RoleError> {
    portcullis_role::inherited(portcullis_role::FIRST_DESCRIPTOR.saturating_add(index))
        .map_err(|error| RoleError::NotAChild { role, detail: error.to_string() })
}
