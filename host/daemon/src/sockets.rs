//! The Unix sockets on which a role listens: made by itself, or by its parent and handed over.

use std::os::unix::net::UnixListener;
use std::path::Path;

use anyhow::Context as _;
use portcullis_role::{Answer, ControlServer, FIRST_DESCRIPTOR, inherited, listen};
use serde::de::DeserializeOwned;

use crate::cli::Sockets;

/// The sockets of a role, in the order in which its parent hands them over.
pub(crate) fn listeners<const N: usize>(
    from: Sockets,
    paths: &[&Path; N],
) -> anyhow::Result<[UnixListener; N]> {
    let mut listeners = Vec::with_capacity(N);
    for (path, number) in paths.iter().zip(FIRST_DESCRIPTOR..) {
        let listener = if from.handed_over {
            inherited(number).map(UnixListener::from)
        } else {
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| listen(path))
        };
        listeners.push(listener.with_context(|| format!("cannot listen on {}", path.display()))?);
    }
    <[UnixListener; N]>::try_from(listeners).map_err(|_| anyhow::anyhow!("sockets are missing"))
}

/// Answers questions on the one socket of a role.
pub(crate) fn answer<Q: DeserializeOwned + 'static, A: Answer + 'static>(
    from: Sockets,
    path: &Path,
    handler: impl Fn(Q) -> A + Send + Sync + 'static,
) -> anyhow::Result<ControlServer> {
    if from.handed_over {
        let [listener] = listeners(from, &[path])?;
        return ControlServer::start_on(listener, handler).context("cannot start a thread");
    }
    ControlServer::start(path, handler).with_context(|| format!("cannot listen on {}", path.display()))
}
