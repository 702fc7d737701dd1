//! The callers' side of the signer's socket: one round trip a signature, with a deadline, and a thread that finds the signer again.

use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use portcullis_core::Environment;
use portcullis_role::{MessageError, MessageSocket, Party, check_peer_among};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::key::{OrderSigner, SignError, SignedRequest, SignedStream, SignerReadiness, TellReadiness};
use super::key_hash;
use super::message::{
    RefusalKind, SIGNER_MESSAGE_BYTES_MAX, SIGNER_PROTOCOL, SignerReply, SignerRequest, SignerStatus,
};
use super::order::OrderRequest;
use crate::{Signature, path};

/// Longest wait for a signature: the caller may be the thread of the gate. One that is missed costs the connection, and until there is
/// another one callers do not wait at all.
const ANSWER_WITHIN: Duration = Duration::from_millis(250);

/// Longest wait for a signer that comes up; only the thread that looks for it waits.
const GREETING_WITHIN: Duration = Duration::from_secs(2);

/// Between two questions how the signer stands.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Pauses between attempts to reach it: the first, doubled up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LAST: Duration = Duration::from_secs(2);

/// How a signer stands, as its caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignerState {
    /// Whether it answers.
    pub up: bool,
    /// What it last said of itself; `None` before it said anything.
    pub status: Option<SignerStatus>,
    /// Why it cannot be reached, or does not fit; empty while it answers.
    pub trouble: String,
}

impl SignerState {
    fn readiness(&self) -> SignerReadiness {
        let latched = self.status.as_ref().is_some_and(|status| status.latched);
        SignerReadiness { up: self.up, adds: self.up && !latched }
    }
}

/// Looks at an API key before the first signature is asked for; what it objects to is not this caller's signer.
pub type CheckKey = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// A signer in another process.
pub struct RemoteSigner {
    shared: Arc<Shared>,
}

/// Looks at a [`RemoteSigner`] from beside.
#[derive(Clone)]
pub struct SignerWatch {
    shared: Arc<Shared>,
}

struct Shared {
    socket: PathBuf,
    environment: Environment,
    peers: Vec<u32>,
    check_key: CheckKey,
    link: Mutex<Link>,
    view: Mutex<View>,
    /// Rung when the signer comes up.
    came_up: Condvar,
    looking: OnceLock<Thread>,
    stop: AtomicBool,
}

/// The connection, while there is one.
#[derive(Default)]
struct Link {
    socket: Option<MessageSocket>,
    /// Kept from the first connection on: a signer with another key is not ours.
    key: Option<Box<str>>,
}

#[derive(Default)]
struct View {
    state: SignerState,
    tell: Option<TellReadiness>,
    told: Option<SignerReadiness>,
}

/// Why a signer that listens is not ours.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("no signer answers at {0}: {1}")]
    Absent(PathBuf, io::Error),
    #[error("the signer's socket: {0}")]
    Message(#[from] MessageError),
    #[error("the signer: {0}")]
    Refused(String),
    #[error("{0}")]
    Key(String),
}

impl RemoteSigner {
    /// Starts to look for the signer on a socket. `peers` are users, by number, that may own it besides this one and root; `check_key`
    /// is asked about the API key before the first signature.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        socket: &Path,
        environment: Environment,
        peers: Vec<u32>,
        check_key: CheckKey,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            socket: socket.to_owned(),
            environment,
            peers,
            check_key,
            link: Mutex::default(),
            view: Mutex::default(),
            came_up: Condvar::new(),
            looking: OnceLock::new(),
            stop: AtomicBool::new(false),
        });
        let looking = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("signer".to_owned()).spawn(move || look(&looking))?;
        let _ = shared.looking.set(thread.thread().clone());
        Ok(Self { shared })
    }

    /// Somebody who only looks.
    pub fn beside(&self) -> SignerWatch {
        SignerWatch { shared: Arc::clone(&self.shared) }
    }

    fn ask(&self, request: &SignerRequest) -> Result<(SignerReply, Box<str>), SignError> {
        self.shared.ask(request).ok_or(SignError::Unreachable)
    }
}

impl OrderSigner for RemoteSigner {
    fn sign(&mut self, request: &OrderRequest) -> Result<SignedRequest, SignError> {
        let refused = |reason: String| SignError::Refused { reason };
        let body = request.body().map_err(|error| refused(error.to_string()))?;
        let asked = SignerRequest::Sign { kind: request.kind(), body };
        let (reply, key) = self.ask(&asked)?;
        let SignerRequest::Sign { body: wanted, .. } = asked else { return Err(SignError::Unreachable) };
        signed(reply, key, request.path(), &wanted)
    }

    fn sign_key_query(&mut self) -> Result<SignedRequest, SignError> {
        let (reply, key) = self.ask(&SignerRequest::KeyQuery)?;
        signed(reply, key, path::QUERY_API, &[])
    }

    fn sign_stream(&mut self) -> Result<SignedStream, SignError> {
        match self.ask(&SignerRequest::Stream)? {
            (SignerReply::StreamSigned { expires_ms, signature }, key) => {
                let signature = Signature::from_text(signature).ok_or(SignError::Unreachable)?;
                Ok(SignedStream { key, expires_ms, signature })
            }
            (reply, _) => Err(refusal(reply)),
        }
    }

    fn watch(&mut self, tell: TellReadiness) {
        let mut view = self.shared.view();
        let readiness = view.state.readiness();
        tell(readiness);
        view.told = Some(readiness);
        view.tell = Some(tell);
    }
}

impl Drop for RemoteSigner {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.hurry();
    }
}

impl fmt::Debug for RemoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSigner").field("socket", &self.shared.socket).finish_non_exhaustive()
    }
}

impl SignerWatch {
    /// How the signer stands.
    pub fn state(&self) -> SignerState {
        self.shared.view().state.clone()
    }

    /// Waits until the signer answers, for as long as that; whether it does.
    pub fn wait(&self, at_most: Duration) -> bool {
        let view = self.shared.view();
        let waited = self.shared.came_up.wait_timeout_while(view, at_most, |view| !view.state.up);
        waited.map_or_else(|poisoned| poisoned.into_inner().0.state.up, |(view, _)| view.state.up)
    }
}

impl fmt::Debug for SignerWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerWatch").field("socket", &self.shared.socket).finish_non_exhaustive()
    }
}

impl Shared {
    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One question and its answer; `None` when there is no signer, or it did not answer in time.
    fn ask(&self, request: &SignerRequest) -> Option<(SignerReply, Box<str>)> {
        let mut link = self.link();
        let key = link.key.clone()?;
        let answer = exchange(link.socket.as_mut()?, request);
        if answer.is_err() {
            link.socket = None;
        }
        drop(link);
        match answer {
            Ok(reply) => {
                if let SignerReply::Refused { status, .. } | SignerReply::Status(status) = &reply {
                    self.note(SignerState { up: true, status: Some(status.clone()), trouble: String::new() });
                }
                Some((reply, key))
            }
            Err(error) => {
                tracing::warn!(%error, "the signer does not answer");
                self.lost(error.to_string());
                self.hurry();
                None
            }
        }
    }

    /// The signer cannot be reached; what it said of itself is kept.
    fn lost(&self, trouble: String) {
        let status = self.view().state.status.clone();
        self.note(SignerState { up: false, status, trouble });
    }

    fn note(&self, state: SignerState) {
        let mut view = self.view();
        view.state = state;
        let readiness = view.state.readiness();
        if view.told != Some(readiness)
            && let Some(tell) = &view.tell
        {
            // Under the lock, so that what is told is told in the order in which it came about.
            tell(readiness);
            view.told = Some(readiness);
        }
        if readiness.up {
            self.came_up.notify_all();
        }
    }

    /// The thread that looks for the signer need not wait any longer.
    fn hurry(&self) {
        if let Some(thread) = self.looking.get() {
            thread.unpark();
        }
    }

    /// A connection on which signatures may be asked for.
    fn connect(&self) -> Result<(MessageSocket, Box<str>, SignerStatus), Unfit> {
        let absent = |error| Unfit::Absent(self.socket.clone(), error);
        let stream = UnixStream::connect(&self.socket).map_err(absent)?;
        check_peer_among(&stream, &self.peers).map_err(absent)?;
        let mut socket = MessageSocket::new(stream, SIGNER_MESSAGE_BYTES_MAX);
        socket.set_timeout(Some(GREETING_WITHIN)).map_err(MessageError::from)?;
        socket.greet(&Party { protocol: SIGNER_PROTOCOL, us: "caller", them: "signer" })?;
        let known = self.link().key.as_deref().map(key_hash);
        let open = SignerRequest::Open { environment: self.environment, key: known };
        let (key, status) = match exchange(&mut socket, &open)? {
            SignerReply::Opened { environment, key, status } if environment == self.environment => {
                (key, status)
            }
            SignerReply::Refused { detail, .. } => return Err(Unfit::Refused(detail)),
            SignerReply::Opened { .. }
            | SignerReply::Signed { .. }
            | SignerReply::StreamSigned { .. }
            | SignerReply::Status(_) => {
                return Err(Unfit::Refused("another answer than asked for".to_owned()));
            }
        };
        if known.is_some_and(|known| known != key_hash(&key)) {
            return Err(Unfit::Key("the signer came back with another key".to_owned()));
        }
        (self.check_key)(&key).map_err(Unfit::Key)?;
        socket.set_timeout(Some(ANSWER_WITHIN)).map_err(MessageError::from)?;
        Ok((socket, key.into(), status))
    }

    /// Where to wait for the end of the connection.
    fn descriptor(&self) -> Option<OwnedFd> {
        self.link().socket.as_ref()?.as_fd().try_clone_to_owned().ok()
    }
}

/// Finds the signer, and finds it again, until the caller is gone.
fn look(shared: &Shared) {
    let mut pause = PAUSE_FIRST;
    while !shared.stop.load(Ordering::Relaxed) {
        if let Some(connection) = shared.descriptor() {
            if !ended(&connection) {
                pause = PAUSE_FIRST;
            }
            // A signer that is gone is noticed here, whether or not anybody wants a signature.
            shared.ask(&SignerRequest::Status);
            continue;
        }
        match shared.connect() {
            Ok((socket, key, status)) => {
                *shared.link() = Link { socket: Some(socket), key: Some(key) };
                tracing::info!(latched = status.latched, "the signer answers");
                shared.note(SignerState { up: true, status: Some(status), trouble: String::new() });
            }
            Err(unfit) => {
                tracing::debug!(%unfit, "no signer");
                shared.lost(unfit.to_string());
            }
        }
        if shared.descriptor().is_none() {
            std::thread::park_timeout(pause);
            pause = pause.saturating_mul(2).min(PAUSE_LAST);
        }
    }
}

/// Waits for the end of a connection, at most until it is time to ask how the signer stands; whether it came.
fn ended(connection: &OwnedFd) -> bool {
    let timeout = Timespec::try_from(ASK_EVERY).unwrap_or_default();
    let mut descriptors = [PollFd::new(connection, PollFlags::RDHUP)];
    rustix::event::poll(&mut descriptors, Some(&timeout)).is_ok_and(|ready| ready > 0)
}

fn exchange(socket: &mut MessageSocket, request: &SignerRequest) -> Result<SignerReply, MessageError> {
    socket.send(request, &[])?;
    let (reply, descriptors) = socket.receive::<SignerReply>()?;
    if descriptors.is_empty() {
        Ok(reply)
    } else {
        Err(MessageError::Malformed("descriptors from the signer".to_owned()))
    }
}

fn signed(
    reply: SignerReply,
    key: Box<str>,
    path: &'static str,
    wanted: &[u8],
) -> Result<SignedRequest, SignError> {
    if let SignerReply::Signed { timestamp_ms, body, signature } = reply {
        // A signature of anything else than what was asked for is no answer.
        if body != wanted {
            return Err(SignError::Unreachable);
        }
        let signature = Signature::from_text(signature).ok_or(SignError::Unreachable)?;
        return Ok(SignedRequest { path, body, key, timestamp_ms, signature });
    }
    Err(refusal(reply))
}

fn refusal(reply: SignerReply) -> SignError {
    match reply {
        SignerReply::Refused { kind: RefusalKind::UnknownOrder, .. } => SignError::UnknownOrder,
        SignerReply::Refused { detail, .. } => SignError::Refused { reason: detail },
        SignerReply::Opened { .. }
        | SignerReply::Signed { .. }
        | SignerReply::StreamSigned { .. }
        | SignerReply::Status(_) => {
            SignError::Refused { reason: "it signed something else than was asked for".to_owned() }
        }
    }
}
