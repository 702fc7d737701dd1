//! Whom a request comes from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;

use crate::error::ApiError;

/// Where a proxy names its client.
const HEADER: &str = "x-real-ip";

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// An address.
    Tcp(IpAddr),
    /// The proxy: it alone can open the Unix socket.
    Unix,
}

/// The address a request comes from, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// What stands for an address that could not be known, in the log.
    pub(crate) const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// The peer itself, unless it is a proxy: then what it says.
    pub(crate) fn of(peer: Peer, headers: &HeaderMap, proxies: &[IpAddr]) -> Result<Self, ApiError> {
        match peer {
            Peer::Tcp(address) if !proxies.contains(&address) => Ok(Self(address.to_canonical())),
            Peer::Tcp(_) | Peer::Unix => {
                let mut values = headers.get_all(HEADER).iter();
                let (Some(value), None) = (values.next(), values.next()) else {
                    return Err(ApiError::NoClientAddress);
                };
                let address: Option<IpAddr> = value.to_str().ok().and_then(|text| text.parse().ok());
                address.map(|address| Self(address.to_canonical())).ok_or(ApiError::NoClientAddress)
            }
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: Peer, sent: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(HEADER, value.parse().unwrap());
        }
        let proxies = ["127.0.0.1".parse().unwrap()];
        ClientAddress::of(peer, &headers, &proxies).ok().map(|address| address.to_string())
    }

    #[test]
    fn only_a_proxy_may_name_its_client() {
        let stranger = Peer::Tcp("192.0.2.7".parse().unwrap());
        let proxy = Peer::Tcp("127.0.0.1".parse().unwrap());
        assert_eq!(of(stranger, &["198.51.100.1"]).as_deref(), Some("192.0.2.7"));
        assert_eq!(of(proxy, &["198.51.100.1"]).as_deref(), Some("198.51.100.1"));
        assert_eq!(of(Peer::Unix, &["::ffff:198.51.100.1"]).as_deref(), Some("198.51.100.1"));
    }

    #[test]
    fn a_proxy_that_names_nobody_or_two_is_refused() {
        for sent in [&[] as &[&str], &["198.51.100.1", "198.51.100.2"], &["198.51.100.1, 10.0.0.1"], &["x"]] {
            assert_eq!(of(Peer::Unix, sent), None, "{sent:?}");
        }
    }
}
