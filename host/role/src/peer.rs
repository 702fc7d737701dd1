//! Who is on the other end of a Unix socket, and who may come at all.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Refuses a peer that runs as another user; root is let in.
///
/// # Errors
///
/// [`io::ErrorKind::PermissionDenied`] for a stranger.
pub fn check_peer(stream: impl AsFd) -> io::Result<()> {
    check_peer_among(stream, &[])
}

/// Refuses a peer that runs as another user than this one, root, and `others`, by their numbers.
///
/// # Errors
///
/// [`io::ErrorKind::PermissionDenied`] for a stranger.
pub fn check_peer_among(stream: impl AsFd, others: &[u32]) -> io::Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    let ours = rustix::process::geteuid();
    if peer.uid == ours || peer.uid.is_root() || others.contains(&peer.uid.as_raw()) {
        Ok(())
    } else {
        let detail = format!("user {} may not use a socket of user {}", peer.uid.as_raw(), ours.as_raw());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, detail))
    }
}

/// Listens on a Unix socket that only this user can open. A socket file whose process is gone is replaced.
///
/// # Errors
///
/// [`io::ErrorKind::AddrInUse`] when another process answers on the path; otherwise as the system says, for example when the
/// path is longer than the 107 bytes a socket address holds.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if UnixStream::connect(path).is_ok() {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        other => other?,
    };
    // Between the two calls a stranger could connect if the directory let him; the peer check is what keeps him out.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
