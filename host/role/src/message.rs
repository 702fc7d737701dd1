//! The framing of messages on a stream socket: a u32 little-endian length, then that many bytes of postcard.

use serde::Serialize;
use serde::de::Deserialize;

/// Longest message body in bytes, on any socket. A receiver may ask for less.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Length of the length.
pub(crate) const HEADER_BYTES: usize = 4;

/// Why a message could not be sent or received. After any of these the connection is of no further use.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The peer closed the connection, or died.
    #[error("the peer closed the connection")]
    Closed,
    /// A message above the bound, in bytes; the peer's claim when receiving.
    #[error("a message of {length} bytes is above the bound of {bound}")]
    TooLong {
        /// What was sent or announced.
        length: usize,
        /// What this side takes.
        bound: usize,
    },
    /// The bytes are no message of the expected type.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// The two sides are of different releases, or not two sides of one protocol.
    #[error(transparent)]
    Greeting(#[from] crate::GreetingError),
    /// The socket failed, or a blocking call ran out of time.
    #[error("socket: {0}")]
    Io(#[from] std::io::Error),
}

impl From<rustix::io::Errno> for MessageError {
    fn from(errno: rustix::io::Errno) -> Self {
        if errno == rustix::io::Errno::PIPE || errno == rustix::io::Errno::CONNRESET {
            Self::Closed
        } else {
            Self::Io(errno.into())
        }
    }
}

/// Appends `value` with its header to `out`; on error `out` is as it was.
pub(crate) fn encode<T: Serialize + ?Sized>(
    value: &T,
    bound: usize,
    out: &mut Vec<u8>,
) -> Result<(), MessageError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let written = postcard::serialize_with_flavor(value, Append(out));
    let result = match written {
        Ok(()) => check_length(body_of(out, start).len(), bound),
        Err(error) => Err(MessageError::Malformed(error.to_string())),
    };
    match result {
        Ok(length) => {
            let end = start.saturating_add(HEADER_BYTES);
            if let Some(header) = out.get_mut(start..end) {
                header.copy_from_slice(&length.to_le_bytes());
            }
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// Decodes one message's body, without its length, as every receiver does. Bytes left over are malformed too: a peer that hides something behind a message is not ours.
///
/// # Errors
///
/// [`MessageError::Malformed`].
pub fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, MessageError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(MessageError::Malformed(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(MessageError::Malformed(error.to_string())),
    }
}

/// The announced length, if it is within the bound.
pub(crate) fn announced(header: [u8; HEADER_BYTES], bound: usize) -> Result<usize, MessageError> {
    let length = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
    check_length(length, bound).map(|_| length)
}

fn check_length(length: usize, bound: usize) -> Result<u32, MessageError> {
    let bound = bound.min(MESSAGE_BYTES_MAX);
    match u32::try_from(length) {
        Ok(short) if length <= bound => Ok(short),
        _ => Err(MessageError::TooLong { length, bound }),
    }
}

fn body_of(out: &[u8], start: usize) -> &[u8] {
    out.get(start.saturating_add(HEADER_BYTES)..).unwrap_or_default()
}

/// Postcard output that goes on the end of a reused buffer.
struct Append<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
