//! Puts a gateway together: journal folded, runner and venue connected. The strategies are launched afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use portcullis_bybit::{BybitVenue, JournalHead};
use portcullis_cell::{RunnerClient, RunnerError, engine_digest};
use portcullis_core::{
    Command, Environment, Gate, Input, InstrumentSpec, Limits, MarginMode, Record, SessionStart, StrategyId,
    Timestamp,
};
use portcullis_gateway::Pipeline;
use portcullis_journal::{FileStorage, Log, LogConfig, Writer, boot_id};
use portcullis_role::{Folder, MessageError};
use portcullis_wire::{RemoteSigner, SignerWatch};

use crate::config::{self, Config};
use crate::failure::Failure;
use crate::gateway::cells::LiveCells;
use crate::gateway::fault_files::{FAULTS, FaultFiles};
use crate::gateway::instruments;
use crate::gateway::limits::FILE as LIMITS;
use crate::gateway::limits_at_start::{self, Accepted};
use crate::gateway::snapshots::Snapshots;
use crate::gateway::wake::Wake;
use crate::places::Places;
use crate::{clock, venue};

/// Longest wait for a runner that is still starting.
const RUNNER_PATIENCE: Duration = Duration::from_secs(10);

/// Longest wait for a signer that is still starting.
const SIGNER_PATIENCE: Duration = Duration::from_secs(10);

/// The pipeline, live.
pub(crate) type Live = Pipeline<BybitVenue, LiveCells, Writer<FileStorage>, fn() -> Timestamp>;

/// A gateway at work.
pub(crate) struct Running {
    pub(crate) pipeline: Live,
    /// How the signer stands.
    pub(crate) signer: SignerWatch,
    /// `name-version` of each strategy's bundle.
    pub(crate) bundles: BTreeMap<StrategyId, String>,
    /// Where the evidence of failures goes.
    pub(crate) faults: FaultFiles,
    /// Where strategies' states are kept from one session to the next.
    pub(crate) snapshots: Snapshots,
    /// Which snapshot of each strategy is on disk.
    kept: BTreeMap<StrategyId, Timestamp>,
}

impl Running {
    /// Keeps snapshots taken since the last time, so that strategies find their state again even after a crash.
    pub(crate) fn keep_snapshots(&mut self) {
        let state = self.pipeline.gate().state();
        for (id, session) in self.pipeline.strategies() {
            let Some(((snapshot, taken), strategy)) = session.snapshot().zip(state.strategy(id)) else {
                continue;
            };
            if self.kept.get(&id) == Some(&taken) {
                continue;
            }
            match self.snapshots.store(session.name(), strategy.digest, snapshot) {
                Ok(()) => {
                    self.kept.insert(id, taken);
                }
                Err(error) => tracing::warn!(%error, strategy = %session.name(), "a snapshot was not kept"),
            }
        }
    }

    /// Has the evidence of new failures written.
    pub(crate) fn keep_faults(&mut self) {
        self.faults.turn(&mut self.pipeline);
    }

    /// Ends in order: snapshots and evidence are kept and the journal is sealed.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.keep_snapshots();
        self.faults.close(&mut self.pipeline);
        self.pipeline.finish().close().map_err(|error| Failure::finding(error.code(), error))
    }
}

/// Starts everything but the strategies. They trade once they are launched, the venue has been reconciled and each knows its state.
pub(crate) fn start(
    config: &Config,
    places: &Places,
    data: &Folder,
    accepted: Option<&Accepted>,
    wake: &Wake,
) -> Result<Running, Failure> {
    let dir = places.data();
    let environment = config.environment().context("the environment was checked before")?;
    let limits = limits(data)?;
    let margin_mode = limits.account.margin_mode;
    let Opened { mut gate, journal, had_limits, head } = journal(environment, dir)?;
    let taken = match limits_at_start::settle(data, had_limits, gate.state().limits(), limits, accepted) {
        Ok(taken) => taken,
        Err(refused) => {
            journal.close().map_err(|error| Failure::finding(error.code(), error))?;
            return Err(refused);
        }
    };
    let runner = runner(&places.runner_socket())?;
    let signer = signer(config, places)?;
    let watch = signer.beside();
    let (venue, specs) = connect(config, dir, &gate, margin_mode, head, (signer, wake))?;

    let engine = engine_digest().map_err(anyhow::Error::new)?;
    let faults = FaultFiles::open(data, engine)
        .with_context(|| format!("cannot open {}", data.path(FAULTS).display()))?;
    let snapshots =
        Snapshots::open(data).with_context(|| format!("cannot open {}", data.path("snapshots").display()))?;
    let session = SessionStart {
        environment,
        epoch: journal.epoch().get(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        engine,
        at: clock::now(),
    };
    let cells = LiveCells::new(runner, places.runner_socket());
    let clock: fn() -> Timestamp = clock::now;
    let mut pipeline =
        Pipeline::new(std::mem::take(&mut gate), journal, venue, cells, clock, config.lookahead());
    pipeline.hand_in(Input::Session(session));
    taken.hand_in(&mut pipeline);
    for spec in specs {
        pipeline.hand_in(Input::Instrument(spec));
    }
    Ok(Running {
        pipeline,
        signer: watch,
        bundles: BTreeMap::new(),
        faults,
        snapshots,
        kept: BTreeMap::new(),
    })
}

/// The session with the runner, which may still be starting.
fn runner(socket: &Path) -> Result<RunnerClient, Failure> {
    let patience = Instant::now();
    loop {
        match RunnerClient::connect(socket) {
            Ok(runner) => return Ok(runner),
            // Waiting changes no release.
            Err(RunnerError::Message(error @ MessageError::Greeting(_))) => {
                return Err(Failure::Environment(anyhow::Error::new(error)));
            }
            Err(_) if patience.elapsed() < RUNNER_PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => {
                let error = anyhow::Error::new(error);
                return Err(Failure::Environment(
                    error.context(format!("no runner answers at {}", socket.display())),
                ));
            }
        }
    }
}

/// The signer, which may still be starting. Without one the gateway starts all the same and holds what adds risk until there is one;
/// only an account with a policy cannot be held against it then.
fn signer(config: &Config, places: &Places) -> Result<RemoteSigner, Failure> {
    let [socket, _] = places.signer_sockets();
    let signer = venue::signer(config, places.data(), &socket, venue::remember)?;
    if !signer.beside().wait(SIGNER_PATIENCE) {
        tracing::warn!(trouble = signer.beside().state().trouble, "no signer yet: nothing adds risk");
    }
    Ok(signer)
}

fn limits(data: &Folder) -> Result<Limits, Failure> {
    let file = data.path(LIMITS);
    let unreadable = |error: &dyn core::fmt::Display| {
        Failure::Usage(format!("cannot read {}: {error}; without limits nothing trades", file.display()))
    };
    let bytes = data.read(LIMITS, config::BYTES_MAX).map_err(|error| unreadable(&error))?;
    let bytes = bytes.ok_or_else(|| unreadable(&format!("more than {} bytes", config::BYTES_MAX)))?;
    let text = String::from_utf8(bytes).map_err(|error| unreadable(&error))?;
    Limits::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

/// A journal that was read to its end.
struct Opened {
    gate: Gate,
    journal: Writer<FileStorage>,
    /// Whether it ever held limits.
    had_limits: bool,
    /// Its last entry, before this session's.
    head: Option<JournalHead>,
}

/// Opens the journal and folds it into a gate.
fn journal(environment: Environment, dir: &Path) -> Result<Opened, Failure> {
    let failed = |error: portcullis_journal::JournalError| Failure::finding(error.code(), error);
    let storage = FileStorage::open(dir).map_err(failed)?;
    let config = LogConfig::live(environment, boot_id().map_err(failed)?);
    let mut gate = Gate::new();
    let mut unreadable = None;
    let mut had_limits = false;
    let mut head = None;
    let log = Log::open(storage, config, &mut |stored| match Record::decode(
        stored.entry.kind,
        &stored.entry.body,
    ) {
        Ok(record) => {
            head = Some(JournalHead { epoch: stored.epoch, sequence: stored.entry.sequence });
            had_limits |= matches!(record, Record::Limits(_));
            let places =
                matches!(&record, Record::Intent(intent) if matches!(intent.command, Command::Place(_)));
            gate.fold(stored.entry.sequence, places.then(|| stored.link_id()).flatten(), &record);
        }
        Err(error) => unreadable = unreadable.take().or(Some((stored.entry.sequence, error))),
    })
    .map_err(failed)?;
    if let Some((sequence, error)) = unreadable {
        return Err(Failure::finding("JOURNAL_UNREADABLE", format!("entry {}: {error}", sequence.0)));
    }
    Ok(Opened { gate, journal: Writer::new(log).map_err(failed)?, had_limits, head })
}

fn connect(
    config: &Config,
    dir: &Path,
    gate: &Gate,
    margin_mode: MarginMode,
    head: Option<JournalHead>,
    (signer, wake): (RemoteSigner, &Wake),
) -> Result<(BybitVenue, Vec<InstrumentSpec>), Failure> {
    let mut settings = venue::settings(config, dir)?;
    settings.instruments = instruments::open(gate.state());
    settings.policy = venue::policy(config, margin_mode);
    settings.journal_head = head;
    // A new journal has no executions; what the account did before is not this journal's.
    let last = gate.state().last_execution();
    if last > Timestamp::default() {
        settings.executions_since = last;
    }
    venue::remember(dir, settings.environment, &[settings.read_key.key()])?;
    let ring = wake.clone();
    BybitVenue::connect(settings, Box::new(signer), move || ring.ring()).map_err(|error| {
        Failure::Environment(anyhow::Error::new(error).context("cannot connect to the venue"))
    })
}
