//! The loop of a process that several strategies share: a socket for each, and one to the runner over which more of them join.
//!
//! Each has its own store, limits, fuel and deadline, and none sees another's memory: what one does wrong costs that one its instance.
//! What they share is the thread, so one may keep the others waiting for as long as its deadline, and the process: a guest that breaks
//! out of its sandbox breaks into all of them. That is why the operator says who shares a cell, and nobody does unasked.
//!
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use portcullis_core::StrategyName;
use portcullis_role::{Confined, MessageError, MessageLink, MessageSocket};
use rustix::event::{PollFd, PollFlags};

use super::programs::Programs;
use super::strategy::ServedStrategy;
use super::{SHARED_STRATEGIES_MAX, link};
use crate::protocol::{CellRequest, Join, RUNNER_MESSAGE_BYTES_MAX};
use crate::roles::RoleError;

/// Longest the runner may take over one message, once it has begun.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves whoever joins, until the runner closes its socket.
///
/// # Errors
///
/// When the kernel refuses, or the runner breaks the protocol. A gateway that does costs one strategy its place and no other.
pub(super) fn serve_shared(runner: OwnedFd, confined: Confined) -> Result<(), RoleError> {
    let runner = UnixStream::from(runner);
    let mut runner = MessageSocket::new(runner, RUNNER_MESSAGE_BYTES_MAX);
    runner.set_timeout(Some(PATIENCE)).map_err(RoleError::system("set a timeout"))?;
    let mut programs = Programs::new(SHARED_STRATEGIES_MAX);
    confined.settle().map_err(RoleError::system("confine"))?;
    let mut members: Vec<Member> = Vec::new();
    loop {
        let (joining, ready) = wait(&runner, &members).map_err(RoleError::system("poll"))?;
        // From the back, so that one that leaves moves none that is still to be looked at.
        for index in ready.into_iter().rev() {
            let Some(Err(error)) = members.get_mut(index).map(Member::serve) else { continue };
            let gone = members.swap_remove(index);
            if matches!(error, MessageError::Closed) {
                tracing::debug!(strategy = %gone.name, "left the cell");
            } else {
                tracing::error!(strategy = %gone.name, %error, "its gateway broke the protocol");
            }
            drop(gone);
            programs.forget_unused();
        }
        if joining {
            match runner.receive::<Join>() {
                Ok((join, descriptors)) => members.push(Member::new(join, descriptors, &mut programs)?),
                Err(MessageError::Closed) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether the runner has something to say, and which members are ready for their next step, in order.
fn wait(runner: &MessageSocket, members: &[Member]) -> std::io::Result<(bool, Vec<usize>)> {
    let mut ready = Vec::with_capacity(members.len().saturating_add(1));
    ready.push(PollFd::new(runner, PollFlags::IN));
    ready.extend(members.iter().map(|member| PollFd::new(&member.link, member.awaits())));
    match rustix::event::poll(&mut ready, None) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok((false, Vec::new())),
        Err(errno) => return Err(errno.into()),
    }
    let mut ready = ready.into_iter().map(|descriptor| !descriptor.revents().is_empty());
    let joining = ready.next().unwrap_or_default();
    Ok((joining, (0..).zip(ready).filter_map(|(index, ready)| ready.then_some(index)).collect()))
}

/// One of the strategies.
struct Member {
    name: StrategyName,
    strategy: ServedStrategy,
    link: MessageLink,
}

impl Member {
    /// Takes one in. An artifact that does not load is its own affair: its gateway is told.
    fn new(join: Join, descriptors: Vec<OwnedFd>, programs: &mut Programs<()>) -> Result<Self, MessageError> {
        let Join { name, limits } = join;
        let [socket, artifact] = <[OwnedFd; 2]>::try_from(descriptors)
            .map_err(|all| MessageError::Malformed(format!("{} descriptors of a strategy", all.len())))?;
        tracing::debug!(strategy = %name, "joined the cell");
        let strategy = ServedStrategy::start(programs.load(artifact), limits);
        Ok(Self { name, strategy, link: link(socket) })
    }

    /// What it waits for: room for what is still to be sent, and only then the next request.
    fn awaits(&self) -> PollFlags {
        if self.link.wants_write() { PollFlags::OUT } else { PollFlags::IN }
    }

    /// Takes its next step, which never waits.
    fn serve(&mut self) -> Result<(), MessageError> {
        self.link.flush()?;
        while !self.link.wants_write() {
            let Some(request) = self.link.try_receive::<CellRequest<'_>>()? else { return Ok(()) };
            let reply = self.strategy.serve(request);
            self.link.try_send(&reply)?;
        }
        Ok(())
    }
}
