//! The side that is asked: one short-lived thread a connection, a bounded number of them.

use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ControlError, read_line, write_line};

/// Most connections at once; one more is closed at once.
const CONNECTIONS_MAX: usize = 8;

/// Longest silence of a client.
const IDLE: Duration = Duration::from_secs(30);

type Handler<Q, A> = dyn Fn(Q) -> A + Send + Sync;

/// An answer that can say that a question was not understood.
pub trait Answer: Serialize {
    /// The answer that names a mistake by its code and in words.
    fn error(code: &str, detail: String) -> Self;
}

/// Listens on the control socket until it is dropped.
#[derive(Debug)]
pub struct ControlServer {
    /// The socket's file, where this process made it.
    path: Option<PathBuf>,
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl ControlServer {
    /// Starts to listen on `path`. `handler` runs on a connection's own thread and may wait, for example for an answer over a
    /// channel; it must come back, or its connection stays open.
    ///
    /// # Errors
    ///
    /// As [`listen`](crate::listen), or when no thread can be started.
    pub fn start<Q: DeserializeOwned + 'static, A: Answer + 'static>(
        path: &Path,
        handler: impl Fn(Q) -> A + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(crate::listen(path)?, Some(path.to_owned()), handler)
    }

    /// Answers on a socket that somebody else made, and keeps: the parent of this role.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start_on<Q: DeserializeOwned + 'static, A: Answer + 'static>(
        listener: UnixListener,
        handler: impl Fn(Q) -> A + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve(listener, None, handler)
    }

    fn serve<Q: DeserializeOwned + 'static, A: Answer + 'static>(
        listener: UnixListener,
        path: Option<PathBuf>,
        handler: impl Fn(Q) -> A + Send + Sync + 'static,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let stop = Arc::new(rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?);
        let stopped = Arc::clone(&stop);
        let handler: Arc<Handler<Q, A>> = Arc::new(handler);
        let thread = std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || accept(&listener, &stopped, &handler))?;
        Ok(Self { path, stop, thread: Some(thread) })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        if let Err(error) = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes()) {
            tracing::warn!(%error, "the control server was not told to stop");
            return;
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the control server's thread panicked");
        }
        if let Some(path) = &self.path
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::debug!(%error, "the control socket was gone already");
        }
    }
}

fn accept<Q: DeserializeOwned + 'static, A: Answer + 'static>(
    listener: &UnixListener,
    stop: &OwnedFd,
    handler: &Arc<Handler<Q, A>>,
) {
    let active = Arc::new(AtomicUsize::new(0));
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        if let Err(errno) = rustix::event::poll(&mut ready, None)
            && errno != rustix::io::Errno::INTR
        {
            tracing::error!(%errno, "the control socket cannot be polled");
            return;
        }
        if ready.get(1).is_some_and(|stop| !stop.revents().is_empty()) {
            return;
        }
        match listener.accept() {
            Ok((stream, _)) => admit(stream, &active, handler),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Out of descriptors, most likely: keep from spinning until some are back.
            Err(error) => {
                tracing::warn!(%error, "a control connection was not accepted");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

fn admit<Q: DeserializeOwned + 'static, A: Answer + 'static>(
    stream: UnixStream,
    active: &Arc<AtomicUsize>,
    handler: &Arc<Handler<Q, A>>,
) {
    if let Err(error) = crate::check_peer(&stream) {
        tracing::warn!(%error, "a control connection was refused");
        return;
    }
    let slot = Slot::take(active);
    if slot.taken >= CONNECTIONS_MAX {
        tracing::warn!("too many control connections");
        return;
    }
    let handler = Arc::clone(handler);
    let serve = move || {
        let _slot = slot;
        if let Err(error) = converse(&stream, &*handler) {
            tracing::debug!(%error, "a control connection ended");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("control-client".to_owned()).spawn(serve) {
        tracing::warn!(%error, "no thread for a control connection");
    }
}

fn converse<Q: DeserializeOwned, A: Answer>(
    stream: &UnixStream,
    handler: &Handler<Q, A>,
) -> Result<(), ControlError> {
    // Accepted sockets do not inherit the listener's mode, but say so: what follows relies on waiting.
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    let mut reader = BufReader::new(stream);
    while let Some(line) = read_line(&mut reader)? {
        if has_left(stream) {
            // It waited while nobody answered here, and gave up: what it asked for is not wanted any more.
            return Ok(());
        }
        let reply = match serde_json::from_slice(&line) {
            Ok(request) => handler(request),
            Err(error) => A::error("BAD_REQUEST", error.to_string()),
        };
        match write_line(&mut &*stream, &reply) {
            Err(ControlError::Line) => {
                let too_long = A::error("REPLY_TOO_LONG", "the answer does not fit a line".to_owned());
                write_line(&mut &*stream, &too_long)?;
            }
            other => other?,
        }
    }
    Ok(())
}

/// Whether nobody is left on the other end.
fn has_left(stream: &UnixStream) -> bool {
    let mut ends = [PollFd::new(stream, PollFlags::empty())];
    let polled = rustix::event::poll(&mut ends, Some(&rustix::event::Timespec::default()));
    polled.is_ok() && ends.iter().any(|end| end.revents().contains(PollFlags::HUP))
}

/// One of the places for connections, given back when dropped.
struct Slot {
    active: Arc<AtomicUsize>,
    /// How many were taken before this one.
    taken: usize,
}

impl Slot {
    fn take(active: &Arc<AtomicUsize>) -> Self {
        Self { taken: active.fetch_add(1, Ordering::AcqRel), active: Arc::clone(active) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.active.fetch_sub(1, Ordering::AcqRel);
    }
}
