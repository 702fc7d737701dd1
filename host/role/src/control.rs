//! The control protocols: what an operator's tool asks of the gateway, and what both ask of the sentinel, one JSON object a line
//! each way.
//!
//! Money, prices and quantities are decimal strings; counts and nanoseconds are numbers (RULES O1, O4).

mod client;
mod deployment;
mod limits;
mod message;
mod report;
mod sentinel;
mod server;
mod upload_name;

// Words that the journal cites as well.
pub use portcullis_core::{AccessKind, ActorName, PeerAddress, UserName};

pub use client::call;
pub use deployment::{DeployRequest, DeploymentLine, DeploymentState};
pub use limits::{GaugeLine, LimitsReport, OverrideLine, OverrideRequest, SetLimitsRequest};
pub use message::{ControlReply, ControlRequest, ScopeName};
pub use report::{
    ComparisonLine, DenialLine, JournalHead, OrderLine, PositionLine, ProtectionReport, RaisedLine,
    SignerReport, StatusReport, StrategyLine,
};
pub use sentinel::{Lease, OwedHalt, SentinelReply, SentinelRequest, SentinelStatus};
pub use server::{Answer, ControlServer};
pub use upload_name::{InvalidUploadName, UploadName};

/// Longest line in bytes, either way, the line feed included.
pub const CONTROL_LINE_BYTES_MAX: usize = 64 * 1024;

/// Why a call over the control socket failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens on the path, the peer is gone, or it did not answer in time.
    #[error("control socket: {0}")]
    Io(#[from] std::io::Error),
    /// A line above [`CONTROL_LINE_BYTES_MAX`], or the connection ended in the middle of one.
    #[error("a control line is longer than {CONTROL_LINE_BYTES_MAX} bytes or was cut off")]
    Line,
    /// The line is no message of the protocol.
    #[error("malformed control message: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Reads one line of bounded length; `None` at a clean end.
fn read_line(reader: &mut impl std::io::BufRead) -> Result<Option<Vec<u8>>, ControlError> {
    use std::io::{BufRead, Read};

    let bound = u64::try_from(CONTROL_LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let count = reader.take(bound).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => {
            tracing::debug!(count, "a control line had no end");
            Err(ControlError::Line)
        }
    }
}

/// Writes one message as one line.
fn write_line(writer: &mut impl std::io::Write, message: &impl serde::Serialize) -> Result<(), ControlError> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    if line.len() > CONTROL_LINE_BYTES_MAX {
        return Err(ControlError::Line);
    }
    writer.write_all(&line)?;
    Ok(())
}
