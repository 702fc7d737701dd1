//! Real cells under a real runner.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use portcullis_cell::{
    CellId, CellLink, CellPlace, CellReply, CellRequest, CompileLimits, RunnerClient, SealedArtifact,
    StartedCell,
};
use portcullis_role::{RoleCommand, stay_awake_for};
use rustix::event::{PollFd, PollFlags};

use super::guest;
use super::journal::Scratch;
use crate::failure::Failure;
use crate::places::Places;

/// Longest wait for a runner to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A runner with a component compiled. It ends with this, and its cells with it.
pub(super) struct Runner {
    client: RunnerClient,
    artifact: SealedArtifact,
    cells: u32,
    child: std::process::Child,
    _scratch: Scratch,
}

impl Runner {
    /// Starts a runner and has the component compiled.
    pub(super) fn start(component: &[u8]) -> Result<Self, Failure> {
        let scratch = Scratch::new()?;
        let command = RoleCommand::new("runner").argument("--dir").argument(scratch.0.as_os_str());
        let child = command.spawn().context("cannot start a runner")?;
        let socket = Places::new(Some(&scratch.0), None).runner_socket();
        let patience = Instant::now();
        let mut client = loop {
            match RunnerClient::connect(&socket) {
                Ok(runner) => break runner,
                Err(_) if patience.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => return Err(Failure::Environment(error.into())),
            }
        };
        let artifact = client.compile(component, CompileLimits::NATIVE).map_err(anyhow::Error::new)?;
        let artifact = artifact.seal().map_err(anyhow::Error::new)?;
        Ok(Self { client, artifact, cells: 0, child, _scratch: scratch })
    }

    /// Starts one more cell, in a process of its own or in one that is shared.
    pub(super) fn cell(&mut self, place: &CellPlace) -> Result<StartedCell, Failure> {
        let name = "bench".parse().map_err(anyhow::Error::new)?;
        let id = CellId(self.cells);
        self.cells = self.cells.saturating_add(1);
        let started = self.client.start_in(place, id, &name, guest::LIMITS, &self.artifact);
        Ok(started.map_err(anyhow::Error::new)?)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One cell, and its runner.
pub(super) struct CellProcess {
    pub(super) link: CellLink,
    _runner: Runner,
}

impl CellProcess {
    /// A cell that is initialised with `parameters`.
    pub(super) fn start(component: &[u8], parameters: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut runner = Runner::start(component)?;
        let mut process = Self { link: runner.cell(&CellPlace::Own)?.link, _runner: runner };
        process.ask(&CellRequest::Init(guest::setup(parameters)?))?;
        Ok(process)
    }

    /// One request and its answer.
    pub(super) fn ask(&mut self, request: &CellRequest<'_>) -> anyhow::Result<CellReply> {
        self.link.send(request)?;
        answer(&mut self.link)
    }
}

/// Waits for the answer to a request.
pub(super) fn answer(link: &mut CellLink) -> anyhow::Result<CellReply> {
    loop {
        match link.try_receive()? {
            Some(CellReply::Fault(fault)) => bail!("the bench's strategy failed: {fault}"),
            Some(CellReply::InitRefused(refusal)) => bail!("the bench's strategy does not start: {refusal}"),
            Some(reply) => return Ok(reply),
            None => {
                // As the gateway waits.
                let mut ready = [PollFd::new(link, PollFlags::IN)];
                stay_awake_for(&mut ready);
                rustix::event::poll(&mut ready, None)?;
            }
        }
    }
}
