//! Where the console listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::str::FromStr;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::origin::Origin;

/// Mode of the Unix socket: this user and its group, which the proxy is in.
const SOCKET_MODE: u32 = 0o660;

/// Where to listen: the loopback, or a Unix socket. The console does no TLS, so it is for this machine alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address of the loopback; port 0 picks a free one.
    Tcp(SocketAddr),
    /// The path of a Unix socket, open to this user and its group.
    Unix(PathBuf),
}

/// Why a piece of text is no place to listen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListen {
    /// Neither form.
    #[error("{0:?} is no place to listen; write 127.0.0.1:8000 or unix:PATH")]
    Form(String),
    /// Others could reach it, and passwords would cross the network in the clear.
    #[error(
        "{0} is not on the loopback: the console does no TLS; let it listen on 127.0.0.1 or unix:PATH and put a proxy before it"
    )]
    NotLoopback(SocketAddr),
}

/// Where the console listens, once it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This address.
    Tcp(SocketAddr),
    /// This path.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, InvalidListen> {
        if let Some(path) = text.strip_prefix("unix:")
            && !path.is_empty()
        {
            return Ok(Self::Unix(path.into()));
        }
        let address: SocketAddr =
            text.parse().map_err(|_| InvalidListen::Form(text.chars().take(128).collect()))?;
        if address.ip().is_loopback() {
            Ok(Self::Tcp(address))
        } else {
            Err(InvalidListen::NotLoopback(address))
        }
    }
}

impl Place {
    /// How browsers of this machine reach it; nothing for a Unix socket, which they cannot reach.
    pub(crate) fn origins(&self) -> Vec<Origin> {
        let Self::Tcp(address) = self else { return Vec::new() };
        let port = address.port();
        let mut texts = vec![format!("http://{address}")];
        if matches!(address.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST) | IpAddr::V6(Ipv6Addr::LOCALHOST)) {
            texts.push(format!("http://localhost:{port}"));
        }
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A bound listener.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection.
#[derive(Debug)]
pub(crate) enum Connection {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

impl Listener {
    /// Must be called inside a runtime.
    pub(crate) async fn bind(listen: &Listen) -> std::io::Result<(Self, Place)> {
        match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                let place = Place::Tcp(listener.local_addr()?);
                Ok((Self::Tcp(listener), place))
            }
            Listen::Unix(path) => {
                let listener = portcullis_role::listen(path)?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
                listener.set_nonblocking(true)?;
                Ok((Self::Unix(UnixListener::from_std(listener)?), Place::Unix(path.clone())))
            }
        }
    }

    pub(crate) async fn accept(&self) -> std::io::Result<Connection> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Connection::Tcp(stream, peer.ip()))
            }
            Self::Unix(listener) => Ok(Connection::Unix(listener.accept().await?.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_to() {
        assert_eq!("unix:/run/x.sock".parse(), Ok(Listen::Unix("/run/x.sock".into())));
        assert!(matches!("127.0.0.1:8000".parse(), Ok(Listen::Tcp(_))));
        assert!(matches!("[::1]:8000".parse(), Ok(Listen::Tcp(_))));
        assert!(matches!("0.0.0.0:8000".parse::<Listen>(), Err(InvalidListen::NotLoopback(_))));
        assert!(matches!("192.0.2.1:8000".parse::<Listen>(), Err(InvalidListen::NotLoopback(_))));
        assert!(matches!("unix:".parse::<Listen>(), Err(InvalidListen::Form(_))));
    }
}
