//! A connection without descriptors whose owner decides, call by call, whether to wait: between the gateway and a cell.
//!
//! The gateway never waits (RULES C1): it sends what the socket takes, keeps the rest, and polls. The cell has nothing else to
//! do and waits.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use serde::{Deserialize, Serialize};

use crate::greeting::GREETING_BYTES;
use crate::message::{HEADER_BYTES, announced, decode, encode};
use crate::{MessageError, Party};

/// Bytes of room a fresh link has for what arrives; it grows up to the bound when a message needs it. Little, because a shared cell
/// has a link for each of a thousand strategies.
const INBOX_BYTES: usize = 4 * 1024;

/// Bytes of room a link keeps between messages, each way; a rare long one gives its room back.
const BYTES_KEPT: usize = 256 * 1024;

/// A connection of typed messages.
#[derive(Debug)]
pub struct MessageLink {
    socket: OwnedFd,
    bound: usize,
    inbox: Inbox,
    outbox: Vec<u8>,
    /// How much of the outbox has gone.
    sent: usize,
    /// Whose greeting comes before the first message.
    awaited: Option<Party>,
}

impl MessageLink {
    /// A link over a connected stream socket that takes bodies of at most `bound` bytes from the peer.
    pub fn new(socket: OwnedFd, bound: usize) -> Self {
        Self { socket, bound, inbox: Inbox::default(), outbox: Vec::new(), sent: 0, awaited: None }
    }

    /// A link whose two sides greet each other. Ours goes out with the first message, or with [`flush`](Self::flush).
    pub fn greeting(socket: OwnedFd, bound: usize, party: Party) -> Self {
        let outbox = party.protocol.greeting().to_vec();
        Self { outbox, awaited: Some(party), ..Self::new(socket, bound) }
    }

    /// Queues a message and sends what the socket takes at once. Never waits.
    ///
    /// # Errors
    ///
    /// [`MessageError::TooLong`] with nothing queued; otherwise the connection is gone.
    pub fn try_send<T: Serialize + ?Sized>(&mut self, message: &T) -> Result<(), MessageError> {
        encode(message, crate::MESSAGE_BYTES_MAX, &mut self.outbox)?;
        self.flush()
    }

    /// Whether something is still to be sent: poll for writability, then call [`flush`](Self::flush).
    pub fn wants_write(&self) -> bool {
        self.sent < self.outbox.len()
    }

    /// Sends what the socket takes of the queue. Never waits.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub fn flush(&mut self) -> Result<(), MessageError> {
        while self.wants_write() {
            let rest = self.outbox.get(self.sent..).unwrap_or_default();
            match rustix::net::send(&self.socket, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => self.sent = self.sent.saturating_add(count),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.outbox.clear();
        self.outbox.shrink_to(BYTES_KEPT);
        self.sent = 0;
        Ok(())
    }

    /// Sends a message and waits until all of it is out.
    ///
    /// # Errors
    ///
    /// As [`try_send`](Self::try_send).
    pub fn send<T: Serialize + ?Sized>(&mut self, message: &T) -> Result<(), MessageError> {
        self.try_send(message)?;
        while self.wants_write() {
            let mut ready = [PollFd::new(&self.socket, PollFlags::OUT)];
            match rustix::event::poll(&mut ready, None) {
                Ok(_) | Err(Errno::INTR) => self.flush()?,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// The next message, if all of it is here. Reads from the socket at most once and never waits.
    ///
    /// # Errors
    ///
    /// [`MessageError::Closed`] once everything received has been taken; any other error leaves the link useless.
    pub fn try_receive<'a, T: Deserialize<'a>>(&'a mut self) -> Result<Option<T>, MessageError> {
        if self.message_end()?.is_none() {
            match self.inbox.fill(&self.socket, RecvFlags::DONTWAIT) {
                Ok(0) => return Err(MessageError::Closed),
                Ok(_) => {}
                Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
        }
        match self.message_end()? {
            Some(end) => decode(self.inbox.take(end)).map(Some),
            None => Ok(None),
        }
    }

    /// Waits for the next message. It may borrow from the link's buffer, so that a frame is not copied.
    ///
    /// # Errors
    ///
    /// As [`try_receive`](Self::try_receive).
    pub fn receive<'a, T: Deserialize<'a>>(&'a mut self) -> Result<T, MessageError> {
        loop {
            if let Some(end) = self.message_end()? {
                return decode(self.inbox.take(end));
            }
            match self.inbox.fill(&self.socket, RecvFlags::empty()) {
                Ok(0) => return Err(MessageError::Closed),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl MessageLink {
    /// Length of the first message with its header, if all of it is here. The peer's greeting is taken off before it.
    fn message_end(&mut self) -> Result<Option<usize>, MessageError> {
        if let Some(party) = &self.awaited {
            if !party.is_greeted(self.inbox.pending())? {
                return Ok(None);
            }
            self.awaited = None;
            self.inbox.skip(GREETING_BYTES);
        }
        self.inbox.message_end(self.bound)
    }
}

impl AsFd for MessageLink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What has arrived and was not taken yet: `buffer[start..end]`.
#[derive(Debug, Default)]
struct Inbox {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Length of the first message with its header, if all of it is here.
    fn message_end(&self, bound: usize) -> Result<Option<usize>, MessageError> {
        let pending = self.pending();
        let Some(header) = pending.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let whole = announced(*header, bound)?.saturating_add(HEADER_BYTES);
        Ok((pending.len() >= whole).then_some(whole))
    }

    /// Takes bytes off that are no message.
    fn skip(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Takes the first message of `whole` bytes off and returns its body.
    fn take(&mut self, whole: usize) -> &[u8] {
        let from = self.start.saturating_add(HEADER_BYTES);
        let to = self.start.saturating_add(whole);
        self.start = to;
        self.buffer.get(from..to).unwrap_or_default()
    }

    /// Reads once from the socket. Room is doubled as bytes really arrive, never because a header announces them.
    fn fill(&mut self, socket: &OwnedFd, flags: RecvFlags) -> Result<usize, Errno> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
        }
        if self.end == 0 && self.buffer.len() > BYTES_KEPT {
            self.buffer = Vec::new();
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end.saturating_mul(2).max(INBOX_BYTES), 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let (_, count) = rustix::net::recv(socket, room, flags)?;
        self.end = self.end.saturating_add(count);
        Ok(count)
    }
}
