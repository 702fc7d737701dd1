//! The loop of a process with one strategy: a request, its answer, until the gateway closes the socket.

use std::os::fd::OwnedFd;

use portcullis_role::MessageError;

use super::link;
use super::strategy::ServedStrategy;
use crate::Imports;
use crate::protocol::CellRequest;
use crate::roles::RoleError;

/// Serves one strategy over its own socket.
///
/// # Errors
///
/// When the gateway is of another release, or breaks the protocol; a closed socket is a good end.
pub(super) fn serve_alone<I: Imports>(
    mut strategy: ServedStrategy<I>,
    socket: OwnedFd,
) -> Result<(), RoleError> {
    let mut link = link(socket);
    link.flush()?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use portcullis_role::{GREETING_BYTES, Protocol};

    use super::*;
    use crate::protocol::{CELL_PROTOCOL, CellLimits};

    const LIMITS: CellLimits = CellLimits {
        memory_bytes_max: 1 << 20,
        fuel_per_event: 1,
        deadline_ms: 1,
        actions_per_event_max: 1,
        log_bytes_max: 0,
    };

    #[test]
    fn a_gateway_of_another_release_is_told_ours_and_left() {
        let version = CELL_PROTOCOL.version;
        for (theirs, older) in [(version.wrapping_add(1), "cell"), (version.wrapping_sub(1), "gateway")] {
            let (ours, mut gateway) = UnixStream::pair().unwrap();
            gateway.write_all(&Protocol { version: theirs, ..CELL_PROTOCOL }.greeting()).unwrap();
            let strategy = ServedStrategy::<()>::start(Err("nothing to run".to_owned()), LIMITS);
            let error = serve_alone(strategy, ours.into()).unwrap_err().to_string();
            assert!(error.ends_with(&format!("upgrade the {older}")), "{error}");
            let mut greeting = [0; GREETING_BYTES];
            gateway.read_exact(&mut greeting).unwrap();
            assert_eq!(greeting, CELL_PROTOCOL.greeting());
        }
    }
}
