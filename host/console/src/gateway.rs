//! The gateway, asked over its control socket.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_role::{ControlError, ControlReply, ControlRequest, call};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Questions at once; the gateway serves twice as many connections and closes more.
const AT_ONCE: usize = 4;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(12);

/// The same where the gateway verifies a bundle or writes a file first; a little more than it waits for that itself.
const LONG_PATIENCE: Duration = Duration::from_secs(70);

/// Asks the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    socket: Arc<PathBuf>,
    turns: Arc<Semaphore>,
}

impl Gateway {
    pub(crate) fn new(socket: PathBuf) -> Self {
        Self { socket: Arc::new(socket), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Asks one question. A refusal of the gateway is an error with its code.
    pub(crate) async fn ask(&self, request: ControlRequest) -> Result<ControlReply, ApiError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| ApiError::Failed)?;
        let socket = Arc::clone(&self.socket);
        let slow = matches!(
            request,
            ControlRequest::Deploy(_) | ControlRequest::Stop { .. } | ControlRequest::SetLimits(_)
        );
        let patience = if slow { LONG_PATIENCE } else { PATIENCE };
        let answer = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            call(&socket, &request, patience)
        });
        match answer.await.map_err(|_| ApiError::Failed)? {
            Ok(ControlReply::Error { code, detail }) => Err(ApiError::Gateway { code, detail }),
            Ok(reply) => Ok(reply),
            Err(error) => Err(refuse(&error)),
        }
    }
}

fn refuse(error: &ControlError) -> ApiError {
    tracing::debug!(%error, "the gateway gave no answer");
    match error {
        ControlError::Io(io) if matches!(io.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            ApiError::GatewaySilent
        }
        // Not there, or cut off: it went away in the middle.
        ControlError::Io(_) | ControlError::Line => ApiError::GatewayAway,
        ControlError::Malformed(_) => ApiError::GatewayNonsense,
    }
}
