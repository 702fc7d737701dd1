//! The signer's side of its sockets: one thread, one loop, and no way to wait for a peer.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Instant;

use portcullis_core::{Environment, Timestamp};
use portcullis_role::{MessageError, MessageLink, Party, check_peer_among};
use rustix::event::{PollFd, PollFlags};

use super::cap::{Allowance, Cap, Guard, Window};
use super::key::{LocalSigner, OrderSigner as _, SignError, SignedRequest};
use super::message::{
    RefusalKind, SIGNER_MESSAGE_BYTES_MAX, SIGNER_PROTOCOL, SignerReply, SignerRequest, SignerStatus,
};
use super::order::OrderRequest;
use super::{DETAIL_BYTES_MAX, key_hash};
use crate::Credentials;

/// Most connections on one socket. One more takes the place of the oldest that has not said yet who it is, else of the oldest: a caller
/// that hangs must not keep its successor out.
const CONNECTIONS_MAX: usize = 4;

/// Most messages of one connection before the others have their turn.
const MESSAGES_IN_A_ROW: usize = 8;

/// Questions about the key, and authentications of the stream, in a minute.
const QUESTIONS_PER_MINUTE: usize = 30;

/// What a signer is made of.
#[derive(Debug)]
pub struct SignerConfig {
    /// The environment that the key belongs to.
    pub environment: Environment,
    /// The trade key.
    pub trade_key: Credentials,
    /// The second cap.
    pub cap: Cap,
    /// Whether the authentication of the trade stream is signed, after which there is no cap (RULES S1).
    pub trade_socket: bool,
    /// The signer's own clock.
    pub clock: fn() -> Timestamp,
    /// Users that may ask, by number, besides the signer's own and root.
    pub peers: Vec<u32>,
}

/// Serves until the process ends: the gateway's socket with everything, the sentinel's with cancels alone.
///
/// # Errors
/// When a socket cannot be polled or set up. Nothing that a peer does ends it.
pub fn serve_signer(
    config: SignerConfig,
    gateway: UnixListener,
    sentinel: UnixListener,
) -> io::Result<core::convert::Infallible> {
    let signer = LocalSigner::new(config.trade_key, config.clock);
    let signer = if config.trade_socket { signer.with_trade_socket() } else { signer };
    let mut desk = Desk { environment: config.environment, signer, guard: Guard::new(config.cap) };
    let mut doors = [Door::new(gateway, Rights::All)?, Door::new(sentinel, Rights::Cancels)?];
    loop {
        wait(&doors)?;
        for door in &mut doors {
            door.admit(&config.peers);
            door.serve(&mut desk);
        }
    }
}

/// Sleeps until somebody comes or says something.
fn wait(doors: &[Door]) -> io::Result<()> {
    let mut descriptors = Vec::new();
    for door in doors {
        descriptors.push(PollFd::new(&door.listener, PollFlags::IN));
        let connections = door.connections.iter();
        descriptors.extend(connections.map(|one| PollFd::from_borrowed_fd(one.link.as_fd(), PollFlags::IN)));
    }
    match rustix::event::poll(&mut descriptors, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// What may be asked on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    All,
    Cancels,
}

/// One socket and who is on it.
#[derive(Debug)]
struct Door {
    listener: UnixListener,
    rights: Rights,
    connections: Vec<Connection>,
    reducing: Allowance,
    questions: Window,
}

#[derive(Debug)]
struct Connection {
    link: MessageLink,
    /// Whether it was opened: the environments are the same, and so is the key.
    ready: bool,
}

impl Door {
    fn new(listener: UnixListener, rights: Rights) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let (reducing, questions) = (Allowance::default(), Window::default());
        Ok(Self { listener, rights, connections: Vec::new(), reducing, questions })
    }

    /// Takes those who wait.
    fn admit(&mut self, peers: &[u32]) {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    // Out of descriptors: there are few, so somebody has to go.
                    tracing::warn!(%error, "a connection was not accepted");
                    self.connections.clear();
                    return;
                }
            };
            match connection(stream, peers) {
                Ok(connection) => {
                    if self.connections.len() >= CONNECTIONS_MAX {
                        let idle = self.connections.iter().position(|one| !one.ready);
                        self.connections.remove(idle.unwrap_or(0));
                    }
                    self.connections.push(connection);
                }
                Err(error) => tracing::warn!(%error, "a stranger asked for signatures"),
            }
        }
    }

    fn serve(&mut self, desk: &mut Desk) {
        let Self { rights, connections, reducing, questions, .. } = self;
        connections.retain_mut(|connection| {
            let caller = Caller { rights: *rights, reducing: &mut *reducing, questions: &mut *questions };
            match connection.serve(desk, caller) {
                Ok(()) => true,
                Err(MessageError::Closed) => false,
                Err(error) => {
                    tracing::warn!(%error, "a connection broke the protocol and is closed");
                    false
                }
            }
        });
    }
}

fn connection(stream: UnixStream, peers: &[u32]) -> Result<Connection, MessageError> {
    check_peer_among(&stream, peers)?;
    let party = Party { protocol: SIGNER_PROTOCOL, us: "signer", them: "caller" };
    let mut link = MessageLink::greeting(stream.into(), SIGNER_MESSAGE_BYTES_MAX, party);
    link.flush()?;
    Ok(Connection { link, ready: false })
}

impl Connection {
    fn serve(&mut self, desk: &mut Desk, mut caller: Caller<'_>) -> Result<(), MessageError> {
        for _ in 0..MESSAGES_IN_A_ROW {
            let Some(request) = self.link.try_receive::<SignerRequest>()? else { return Ok(()) };
            let reply = match &request {
                request if self.ready => desk.answer(request, &mut caller),
                SignerRequest::Open { environment, key } => {
                    let reply = desk.open(*environment, *key);
                    self.ready = matches!(reply, SignerReply::Opened { .. });
                    reply
                }
                SignerRequest::Sign { .. }
                | SignerRequest::KeyQuery
                | SignerRequest::Stream
                | SignerRequest::Status => desk.refused(RefusalKind::OutOfTurn, "open comes first"),
            };
            self.send(&reply)?;
        }
        Ok(())
    }

    /// An answer that the peer does not take costs it the connection: nothing is kept for it.
    fn send(&mut self, message: &impl serde::Serialize) -> Result<(), MessageError> {
        self.link.try_send(message)?;
        if self.link.wants_write() {
            return Err(MessageError::Malformed("the peer does not read its answers".to_owned()));
        }
        Ok(())
    }
}

/// Who asks.
struct Caller<'a> {
    rights: Rights,
    reducing: &'a mut Allowance,
    questions: &'a mut Window,
}

/// The key and what guards it.
#[derive(Debug)]
struct Desk {
    environment: Environment,
    signer: LocalSigner,
    guard: Guard,
}

impl Desk {
    fn open(&self, environment: Environment, known: Option<[u8; 32]>) -> SignerReply {
        if environment != self.environment {
            let detail =
                format!("the signer's key is of {}, the caller trades in {environment}", self.environment);
            return self.refused(RefusalKind::OtherKey, &detail);
        }
        let key = self.signer.key();
        if known.is_some_and(|known| known != key_hash(key)) {
            let detail = "the signer came back with another key; start its callers again if that is meant";
            return self.refused(RefusalKind::OtherKey, detail);
        }
        SignerReply::Opened { environment, key: key.to_owned(), status: self.status() }
    }

    fn answer(&mut self, request: &SignerRequest, caller: &mut Caller<'_>) -> SignerReply {
        let now = Instant::now();
        match request {
            SignerRequest::Status => SignerReply::Status(self.status()),
            SignerRequest::Open { .. } => self.refused(RefusalKind::OutOfTurn, "the connection is open"),
            SignerRequest::Sign { kind, .. } if caller.rights == Rights::Cancels && !kind.is_cancel() => {
                self.refused(RefusalKind::OutOfTurn, "this socket is for cancels alone")
            }
            SignerRequest::Sign { .. } => match request.order() {
                Ok(Some(order)) => self.order(&order, caller.reducing, now),
                Ok(None) => self.refused(RefusalKind::NotOurs, "no order"),
                Err(other) => {
                    let objection = self.guard.violation(RefusalKind::NotOurs, other.to_string());
                    self.refused(objection.kind, &objection.detail)
                }
            },
            SignerRequest::KeyQuery | SignerRequest::Stream if caller.rights == Rights::Cancels => {
                self.refused(RefusalKind::OutOfTurn, "this socket is for cancels alone")
            }
            SignerRequest::KeyQuery | SignerRequest::Stream
                if !caller.questions.take(QUESTIONS_PER_MINUTE, now) =>
            {
                self.refused(RefusalKind::Busy, "too many questions in a minute")
            }
            SignerRequest::KeyQuery => {
                let signed = self.signer.sign_key_query();
                self.signed(signed)
            }
            SignerRequest::Stream => match self.signer.sign_stream() {
                Ok(signed) => SignerReply::StreamSigned {
                    expires_ms: signed.expires_ms,
                    signature: signed.signature.as_str().to_owned(),
                },
                Err(error) => self.refused(RefusalKind::StreamOff, &error.to_string()),
            },
        }
    }

    fn order(&mut self, order: &OrderRequest, reducing: &mut Allowance, now: Instant) -> SignerReply {
        match self.guard.admit(order, reducing, now) {
            Ok(()) => {
                let signed = self.signer.sign(order);
                self.signed(signed)
            }
            Err(objection) => self.refused(objection.kind, &objection.detail),
        }
    }

    fn signed(&self, signed: Result<SignedRequest, SignError>) -> SignerReply {
        match signed {
            Ok(SignedRequest { body, timestamp_ms, signature, .. }) => {
                SignerReply::Signed { timestamp_ms, body, signature: signature.as_str().to_owned() }
            }
            Err(error) => self.refused(RefusalKind::NotOurs, &error.to_string()),
        }
    }

    fn refused(&self, kind: RefusalKind, detail: &str) -> SignerReply {
        let detail = detail.get(..detail.floor_char_boundary(DETAIL_BYTES_MAX)).unwrap_or_default();
        SignerReply::Refused { kind, detail: detail.to_owned(), status: self.status() }
    }

    fn status(&self) -> SignerStatus {
        self.guard.status()
    }
}
