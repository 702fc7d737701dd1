//! What both ends of a socket say before anything else: which protocol it is, and which version of it.
//!
//! The two may be of different releases, because an upgrade replaces one unit at a time. A greeting has the same sixteen bytes in every
//! release, for ever, so that any two can tell each other apart: `PORTCULL`, four bytes for the protocol, and its version as a u32,
//! little-endian. Both sides send theirs without waiting for the other's.

/// Length of a greeting in bytes.
pub const GREETING_BYTES: usize = 16;

const MAGIC: [u8; 8] = *b"PORTCULL";

/// One end of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    /// The protocol.
    pub protocol: Protocol,
    /// What this process is, as an operator knows it.
    pub us: &'static str,
    /// What the peer is.
    pub them: &'static str,
}

/// A protocol between two processes of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// Its name in messages.
    pub name: &'static str,
    /// What stands for it in a greeting.
    pub tag: [u8; 4],
    /// Its version: raised whenever a message changes, because messages carry no field names.
    pub version: u32,
}

/// Why the two do not talk to each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GreetingError {
    /// They are of different releases.
    #[error(
        "the {them} speaks version {theirs} of the {protocol} protocol and this {us} version {ours}: upgrade the {older}"
    )]
    OtherVersion {
        /// The protocol.
        protocol: &'static str,
        /// This process.
        us: &'static str,
        /// Its version.
        ours: u32,
        /// The peer.
        them: &'static str,
        /// The peer's version.
        theirs: u32,
        /// Which of the two is older.
        older: &'static str,
    },
    /// The peer began with something else.
    #[error(
        "the {them} did not greet: it is no part of portcullis, or of a release without versions: upgrade the {them}"
    )]
    NoGreeting {
        /// The peer.
        them: &'static str,
    },
    /// The peer speaks another protocol of ours.
    #[error("the peer does not speak the {protocol} protocol: the socket is not a {them}'s")]
    OtherProtocol {
        /// The protocol that was expected.
        protocol: &'static str,
        /// The peer that was expected.
        them: &'static str,
    },
}

impl Protocol {
    /// What each side of this protocol begins with.
    pub fn greeting(self) -> [u8; GREETING_BYTES] {
        let [m0, m1, m2, m3, m4, m5, m6, m7] = MAGIC;
        let [t0, t1, t2, t3] = self.tag;
        let [v0, v1, v2, v3] = self.version.to_le_bytes();
        [m0, m1, m2, m3, m4, m5, m6, m7, t0, t1, t2, t3, v0, v1, v2, v3]
    }
}

impl Party {
    /// Looks at what the peer has sent so far: true once it has greeted, and in this party's version.
    ///
    /// # Errors
    ///
    /// As soon as the bytes cannot become the greeting that is wanted.
    pub(crate) fn is_greeted(&self, received: &[u8]) -> Result<bool, GreetingError> {
        let Self { protocol, us, them } = *self;
        let magic = received.get(..MAGIC.len()).unwrap_or(received);
        if !MAGIC.starts_with(magic) {
            return Err(GreetingError::NoGreeting { them });
        }
        let Some([.., t0, t1, t2, t3, v0, v1, v2, v3]) = received.first_chunk::<GREETING_BYTES>() else {
            return Ok(false);
        };
        if [*t0, *t1, *t2, *t3] != protocol.tag {
            return Err(GreetingError::OtherProtocol { protocol: protocol.name, them });
        }
        let (ours, theirs) = (protocol.version, u32::from_le_bytes([*v0, *v1, *v2, *v3]));
        if ours == theirs {
            return Ok(true);
        }
        let older = if theirs < ours { them } else { us };
        Err(GreetingError::OtherVersion { protocol: protocol.name, us, ours, them, theirs, older })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

    use super::*;

    const RUNNER: Protocol = Protocol { name: "runner", tag: *b"RUNR", version: 3 };
    const GATEWAY: Party = Party { protocol: RUNNER, us: "gateway", them: "runner" };

    fn told(version: u32) -> Result<bool, GreetingError> {
        GATEWAY.is_greeted(&Protocol { version, ..RUNNER }.greeting())
    }

    #[test]
    fn the_older_side_is_named() {
        assert_eq!(told(3), Ok(true));
        assert_eq!(
            told(2).unwrap_err().to_string(),
            "the runner speaks version 2 of the runner protocol and this gateway version 3: upgrade the runner"
        );
        assert!(told(4).unwrap_err().to_string().ends_with("version 3: upgrade the gateway"));
    }

    #[test]
    fn a_greeting_in_pieces_is_awaited_and_anything_else_is_not() {
        let greeting = RUNNER.greeting();
        for length in 0..GREETING_BYTES {
            assert_eq!(GATEWAY.is_greeted(&greeting[..length]), Ok(false));
        }
        for stranger in [&b"\x05\x00\x00\x00\x01"[..], b"GET / HTTP/1.1\r\n", b"PORTCULX"] {
            let error = GATEWAY.is_greeted(stranger).unwrap_err();
            assert_eq!(error, GreetingError::NoGreeting { them: "runner" });
        }
        let other = Protocol { tag: *b"CELL", ..RUNNER }.greeting();
        assert!(matches!(GATEWAY.is_greeted(&other), Err(GreetingError::OtherProtocol { .. })));
    }

    #[test]
    fn a_greeting_is_the_same_bytes_for_ever() {
        assert_eq!(&RUNNER.greeting(), b"PORTCULLRUNR\x03\0\0\0");
    }
}
