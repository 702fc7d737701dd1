//! One WebSocket to the public streams: TLS or, to this machine, plain; messages of bounded size.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use portcullis_wire::Operation;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Live;

/// Largest message taken, in bytes: 1,024 trades have about 200 KiB.
const MESSAGE_MAX: usize = 4 << 20;
/// How long connecting may take, TLS and upgrade included.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    #[error("{0} is no server name")]
    Host(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Protocol(#[from] Box<tungstenite::Error>),
    #[error("connecting took more than {} s", CONNECT_WITHIN.as_secs())]
    ConnectTimeout,
    #[error("no data for {} ms", .0.as_millis())]
    Quiet(Duration),
    #[error("closed by the exchange")]
    Closed,
    #[error("the exchange refused the subscription: {0}")]
    Refused(String),
    #[error("books break again and again; the last: {0}")]
    Broken(String),
    #[error("the paper exchange cannot follow the market")]
    Overrun,
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection.
pub(super) struct Socket(WebSocketStream<Box<dyn Io>>);

impl Socket {
    pub(super) async fn connect(
        live: &Live,
        path: &str,
        tls: &Arc<rustls::ClientConfig>,
    ) -> Result<Self, StreamError> {
        timeout(CONNECT_WITHIN, Self::open(live, path, tls)).await.map_err(|_| StreamError::ConnectTimeout)?
    }

    async fn open(live: &Live, path: &str, tls: &Arc<rustls::ClientConfig>) -> Result<Self, StreamError> {
        let tcp = TcpStream::connect((live.host.as_str(), live.port)).await?;
        tcp.set_nodelay(true)?;
        let io: Box<dyn Io> = if live.secure {
            let host = ServerName::try_from(live.host.clone());
            let host = host.map_err(|_| StreamError::Host(live.host.clone()))?;
            Box::new(TlsConnector::from(Arc::clone(tls)).connect(host, tcp).await?)
        } else {
            Box::new(tcp)
        };
        let config =
            WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX)).max_frame_size(Some(MESSAGE_MAX));
        let url = format!("{}{path}", live.base);
        let (socket, _) = client_async_with_config(url, io, Some(config)).await.map_err(Box::new)?;
        Ok(Self(socket))
    }

    pub(super) async fn send(&mut self, operation: &Operation) -> Result<(), StreamError> {
        let text = serde_json::to_string(operation).map_err(std::io::Error::other)?;
        Ok(self.0.send(Message::text(text)).await.map_err(Box::new)?)
    }

    /// The next text. May be dropped before it is done without losing one.
    pub(super) async fn next(&mut self) -> Result<Utf8Bytes, StreamError> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(_))) | None => return Err(StreamError::Closed),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(Box::new(error).into()),
            }
        }
    }
}

/// How servers are trusted: by the roots that browsers trust.
pub(super) fn tls() -> Option<Arc<rustls::ClientConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Some(Arc::new(config.ok()?.with_root_certificates(roots).with_no_client_auth()))
}
