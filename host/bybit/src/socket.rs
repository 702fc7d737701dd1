//! One WebSocket: TLS or, to the paper exchange, plain; messages of bounded size; a ping with a deadline for its answer.

use core::time::Duration;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use portcullis_wire::{Ack, Operation};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::endpoints::{InvalidEndpoint, Target};

/// Largest message taken, in bytes: 1,024 trades have about 200 KiB.
const MESSAGE_MAX: usize = 4 * 1024 * 1024;

/// How often we ping; the venue cuts a silent connection.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long the answer to a ping may take.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// How long connecting may take, TLS and upgrade included.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    #[error("{host} is not a server name")]
    Host { host: String },
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Protocol(#[from] Box<tungstenite::Error>),
    #[error("connecting took too long")]
    ConnectTimeout,
    #[error("no answer to a ping within {} s", PONG_WITHIN.as_secs())]
    NoPong,
    #[error("no data for {} s", .0.as_secs())]
    NoData(Duration),
    #[error("closed by the venue")]
    Closed,
    #[error("the venue refused {what}: {words}")]
    Refused { what: &'static str, words: String },
    #[error("no answer to {what} in time")]
    NoAnswer { what: &'static str },
    #[error("unreadable message: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the stream did not tell of {0}")]
    Deaf(String),
    #[error("reconciliation failed: {0}")]
    Backfill(String),
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connected stream.
pub(crate) struct Socket {
    stream: WebSocketStream<Box<dyn Io>>,
    ping_at: Instant,
    pong_due: Option<Instant>,
}

impl Socket {
    /// Connects to `path` of a base URL.
    pub(crate) async fn connect(
        base: &str,
        path: &str,
        tls: &Arc<rustls::ClientConfig>,
    ) -> Result<Self, SocketError> {
        timeout(CONNECT_WITHIN, Self::open(base, path, tls)).await.map_err(|_| SocketError::ConnectTimeout)?
    }

    async fn open(base: &str, path: &str, tls: &Arc<rustls::ClientConfig>) -> Result<Self, SocketError> {
        let target = Target::parse(base)?;
        let tcp = TcpStream::connect((target.host.as_str(), target.port)).await?;
        tcp.set_nodelay(true)?;
        let io: Box<dyn Io> = if target.is_secure() {
            let name = ServerName::try_from(target.host.clone())
                .map_err(|_| SocketError::Host { host: target.host.clone() })?;
            Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await?)
        } else {
            Box::new(tcp)
        };
        let config =
            WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX)).max_frame_size(Some(MESSAGE_MAX));
        let (stream, _) =
            client_async_with_config(format!("{base}{path}"), io, Some(config)).await.map_err(Box::new)?;
        Ok(Self { stream, ping_at: after(PING_EVERY), pong_due: None })
    }

    /// Sends an operation, as compact JSON.
    pub(crate) async fn send(&mut self, operation: &Operation) -> Result<(), SocketError> {
        self.send_text(serde_json::to_string(operation)?).await
    }

    /// Sends a message as it is.
    pub(crate) async fn send_text(&mut self, text: String) -> Result<(), SocketError> {
        self.stream.send(Message::text(text)).await.map_err(Box::new)?;
        Ok(())
    }

    /// The next text message. Pings go out on the way, and their answers are taken note of by [`heard`](Self::heard).
    ///
    /// May be dropped before it is done without losing a message.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes, SocketError> {
        loop {
            let deadline = self.pong_due.unwrap_or(self.ping_at);
            tokio::select! {
                message = self.stream.next() => match message {
                    Some(Ok(Message::Text(text))) => return Ok(text),
                    Some(Ok(Message::Close(_))) | None => return Err(SocketError::Closed),
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                    Some(Err(error)) => return Err(Box::new(error).into()),
                },
                () = sleep_until(deadline) => {
                    if self.pong_due.is_some() {
                        return Err(SocketError::NoPong);
                    }
                    self.send(&Operation::ping("ping")).await?;
                    self.pong_due = Some(after(PONG_WITHIN));
                    self.ping_at = after(PING_EVERY);
                }
            }
        }
    }

    /// Takes note of an answer that is no data; a pong lifts the deadline.
    pub(crate) fn heard(&mut self, ack: &Ack) {
        if ack.is_pong() {
            self.pong_due = None;
        }
    }
}

/// The moment `span` from now; now itself at the end of time.
pub(crate) fn after(span: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(span).unwrap_or(now)
}
