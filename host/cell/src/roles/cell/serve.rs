//! The loop: a request, its answer, until the gateway closes the socket.

use std::os::fd::OwnedFd;

use portcullis_role::{MESSAGE_BYTES_MAX, MessageError, MessageLink};

use super::strategy::ServedStrategy;
use crate::protocol::CellRequest;
use crate::roles::RoleError;

/// Serves one strategy over its own socket.
///
/// # Errors
///
/// When the gateway breaks the protocol; a closed socket is a good end.
pub(super) fn serve(mut strategy: ServedStrategy, socket: OwnedFd) -> Result<(), RoleError> {
    let mut link = MessageLink::new(socket, MESSAGE_BYTES_MAX);
    loop {
        let reply = match link.receive::<CellRequest<'_>>() {
            Ok(request) => strategy.serve(request),
            Err(MessageError::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match link.send(&reply) {
            Err(MessageError::Closed) => return Ok(()),
            other => other?,
        }
    }
}
