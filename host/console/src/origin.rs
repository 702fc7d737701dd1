//! Where browsers reach the console: the one list behind the checks of `Host` and `Origin`.

use std::fmt;
use std::str::FromStr;

/// An origin as browsers write it: scheme, host and, unless it is the scheme's own, port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    secure: bool,
}

/// Why a piece of text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no origin; write it as browsers do, for example https://trade.example.org or http://127.0.0.1:8000"
)]
pub struct InvalidOrigin(String);

impl Origin {
    /// What requests carry in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What requests carry in `Host`.
    pub fn host(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, host)| host)
    }

    /// Whether it is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin(text.chars().take(128).collect());
        let lower = text.to_ascii_lowercase();
        let (scheme, host) = lower.split_once("://").ok_or_else(invalid)?;
        let (secure, own_port) = match scheme {
            "https" => (true, ":443"),
            "http" => (false, ":80"),
            _ => return Err(invalid()),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        if host.is_empty() || host.len() > 255 || !host.bytes().all(plain) {
            return Err(invalid());
        }
        let host = host.strip_suffix(own_port).unwrap_or(host);
        Ok(Self { text: format!("{scheme}://{host}"), secure })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        let origin: Origin = "HTTPS://Trade.Example.org:443".parse().unwrap();
        assert_eq!((origin.as_str(), origin.host()), ("https://trade.example.org", "trade.example.org"));
        let local: Origin = "http://[::1]:8000".parse().unwrap();
        assert_eq!(local.host(), "[::1]:8000");
        for text in ["trade.example.org", "ftp://x", "https://", "https://x/path", "https://x y", "null"] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
