//! A blocking connection that carries descriptors: between the gateway and the runner.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::greeting::GREETING_BYTES;
use crate::message::{HEADER_BYTES, announced, decode, encode};
use crate::{MessageError, Party};

/// Most descriptors one message may carry.
pub const DESCRIPTORS_MAX: usize = 4;

/// A connection on which calls wait, and messages may carry descriptors.
#[derive(Debug)]
pub struct MessageSocket {
    stream: UnixStream,
    /// Longest body taken from the peer, in bytes.
    bound: usize,
    /// Reused for every message, either way.
    buffer: Vec<u8>,
}

impl MessageSocket {
    /// A connection that takes bodies of at most `bound` bytes, and never more than
    /// [`MESSAGE_BYTES_MAX`](crate::MESSAGE_BYTES_MAX).
    pub fn new(stream: UnixStream, bound: usize) -> Self {
        Self { stream, bound, buffer: Vec::new() }
    }

    /// Longest wait of a later call; `None` waits for ever.
    ///
    /// A call that runs out of time fails with [`MessageError::Io`], and the connection is then in the middle of a message:
    /// close it.
    ///
    /// # Errors
    ///
    /// A span of zero, or a closed socket.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> std::io::Result<()> {
        self.stream.set_read_timeout(timeout)?;
        self.stream.set_write_timeout(timeout)
    }

    /// Greets and waits for the peer's greeting; before any message, or not at all.
    ///
    /// # Errors
    ///
    /// [`MessageError::Greeting`] when the two must not talk to each other: close the connection.
    pub fn greet(&mut self, party: &Party) -> Result<(), MessageError> {
        match self.send_greeting(party) {
            // It may have hung up over its own greeting, which then is still there to be read and says why.
            Err(MessageError::Closed) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        let mut theirs = [0; GREETING_BYTES];
        let mut received = 0;
        while !party.is_greeted(theirs.get(..received).unwrap_or_default())? {
            let room = theirs.get_mut(received..).unwrap_or_default();
            // A greeting carries no descriptors, and plain bytes are all that is taken here.
            let (_, count) = retry(|| rustix::net::recv(&self.stream, &mut *room, RecvFlags::empty()))?;
            if count == 0 {
                return Err(MessageError::Closed);
            }
            received = received.saturating_add(count);
        }
        Ok(())
    }

    fn send_greeting(&self, party: &Party) -> Result<(), MessageError> {
        let greeting = party.protocol.greeting();
        let mut rest = greeting.as_slice();
        while !rest.is_empty() {
            let sent = retry(|| rustix::net::send(&self.stream, rest, SendFlags::NOSIGNAL))?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Sends one message with descriptors, which stay open here too.
    ///
    /// # Errors
    ///
    /// [`MessageError::TooLong`] above the bound and [`MessageError::Malformed`] above [`DESCRIPTORS_MAX`], with nothing
    /// sent; otherwise as the socket says.
    pub fn send<T: Serialize + ?Sized>(
        &mut self,
        message: &T,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), MessageError> {
        self.buffer.clear();
        encode(message, self.bound, &mut self.buffer)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(MessageError::Malformed(format!("{} descriptors", descriptors.len())));
        }
        let mut rest: &[u8] = &self.buffer;
        while !rest.is_empty() {
            // The descriptors travel with the first byte, and only once.
            let sent = retry(|| {
                rustix::net::sendmsg(&self.stream, &[IoSlice::new(rest)], &mut control, SendFlags::NOSIGNAL)
            })?;
            control.clear();
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Waits for one message and returns it with its descriptors, all of them close-on-exec.
    ///
    /// # Errors
    ///
    /// As [`MessageError`] lists; descriptors of a refused message are closed.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<(T, Vec<OwnedFd>), MessageError> {
        let mut descriptors = Vec::new();
        let mut header = [0; HEADER_BYTES];
        read_exact(&self.stream, &mut header, &mut descriptors)?;
        let length = announced(header, self.bound)?;
        self.buffer.clear();
        self.buffer.resize(length, 0);
        read_exact(&self.stream, &mut self.buffer, &mut descriptors)?;
        Ok((decode(&self.buffer)?, descriptors))
    }
}

impl AsFd for MessageSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn read_exact(
    stream: &UnixStream,
    mut target: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> Result<(), MessageError> {
    while !target.is_empty() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = retry(|| {
            rustix::net::recvmsg(
                stream,
                &mut [IoSliceMut::new(target)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
        })?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > DESCRIPTORS_MAX {
            return Err(MessageError::Malformed("too many descriptors".to_owned()));
        }
        if received.bytes == 0 {
            return Err(MessageError::Closed);
        }
        target = target.get_mut(received.bytes..).unwrap_or_default();
    }
    Ok(())
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> Result<T, MessageError> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}
