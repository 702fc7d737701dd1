//! The side that asks.

use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ControlError, read_line, write_line};

/// Asks one question over the control socket at `path` and waits for the answer, each step at most `timeout`.
///
/// # Errors
///
/// [`ControlError`]; a role that refuses is an `Ok` with its own error answer.
pub fn call<A: DeserializeOwned>(
    path: &Path,
    request: &impl Serialize,
    timeout: Duration,
) -> Result<A, ControlError> {
    let stream = UnixStream::connect(path)?;
    // Whoever could write to the directory could answer in the role's name.
    crate::check_peer(&stream)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    write_line(&mut &stream, request)?;
    let line = read_line(&mut BufReader::new(&stream))?.ok_or(ControlError::Line)?;
    Ok(serde_json::from_slice(&line)?)
}
