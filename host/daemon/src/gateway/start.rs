//! Puts a gateway together: journal folded, strategies prepared, venue connected, strategies started.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use portcullis_bybit::{BybitVenue, Config as VenueSettings, Decimals, Endpoints, LocalSigner, Wanted};
use portcullis_cell::{CellId, RunnerClient, Setup, engine_digest};
use portcullis_core::{
    Amount, Category, Command, Environment, Gate, Input, InstrumentId, InstrumentSpec, Limits, Record, Reply,
    SessionStart, StrategyId, Symbol, Timestamp,
};
use portcullis_gateway::{Deployment, Pipeline, Stream};
use portcullis_journal::{FileStorage, Log, LogConfig, Writer, boot_id};
use portcullis_wire::Credentials;

use crate::clock;
use crate::config::{Config, CredentialsFile};
use crate::failure::Failure;
use crate::gateway::artifacts::Artifacts;
use crate::gateway::candidate::Candidate;
use crate::gateway::cells::{CellSpec, LiveCells};
use crate::gateway::snapshots;
use crate::gateway::wake::Wake;
use crate::places::Places;

/// Longest wait for a runner that is still starting.
const RUNNER_PATIENCE: Duration = Duration::from_secs(10);

/// The pipeline, live.
pub(crate) type Live = Pipeline<BybitVenue, LiveCells, Writer<FileStorage>, fn() -> Timestamp>;

/// A gateway at work.
pub(crate) struct Running {
    pub(crate) pipeline: Live,
    /// `name-version` of each strategy's bundle.
    pub(crate) bundles: BTreeMap<StrategyId, String>,
    /// Which snapshot of each strategy is on disk.
    kept: BTreeMap<StrategyId, Timestamp>,
}

impl Running {
    /// Keeps snapshots taken since the last time, so that strategies find their state again even after a crash.
    pub(crate) fn keep_snapshots(&mut self, dir: &Path) {
        let state = self.pipeline.gate().state();
        for (id, session) in self.pipeline.strategies() {
            let Some(((snapshot, taken), strategy)) = session.snapshot().zip(state.strategy(id)) else {
                continue;
            };
            if self.kept.get(&id) == Some(&taken) {
                continue;
            }
            match snapshots::store(dir, session.name(), strategy.digest, snapshot) {
                Ok(()) => {
                    self.kept.insert(id, taken);
                }
                Err(error) => tracing::warn!(%error, strategy = %session.name(), "a snapshot was not kept"),
            }
        }
    }

    /// Ends in order: snapshots are kept and the journal is sealed.
    pub(crate) fn finish(mut self, dir: &Path) -> Result<(), Failure> {
        self.keep_snapshots(dir);
        self.pipeline.finish().close().map_err(|error| Failure::finding(error.code(), error))
    }
}

/// Starts everything. The strategies trade once the venue has been reconciled and each knows its state.
pub(crate) fn start(config: &Config, places: &Places, wake: &Wake) -> Result<Running, Failure> {
    let dir = places.data();
    let environment = config.environment().context("the environment was checked before")?;
    let limits = limits(dir)?;
    let (mut gate, journal) = journal(environment, dir)?;
    let mut runner = runner(&places.runner_socket())?;
    let candidates = candidates(config, environment, dir, &mut runner)?;
    let wanted = wanted(&gate, &candidates);
    let (venue, specs) = venue(config, environment, dir, &gate, wanted, wake)?;

    let now = clock::now();
    let session = SessionStart {
        environment,
        epoch: journal.epoch().get(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        engine: engine_digest().map_err(anyhow::Error::new)?,
        at: now,
    };
    let next_cell = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let cells = LiveCells::new(runner, next_cell);
    let clock: fn() -> Timestamp = clock::now;
    let known_limits = gate.state().limits_hash();
    let mut pipeline =
        Pipeline::new(std::mem::take(&mut gate), journal, venue, cells, clock, config.lookahead());
    pipeline.hand_in(Input::Session(session));
    if known_limits != limits.hash() {
        pipeline.hand_in(Input::Limits(Box::new(limits)));
    }
    for spec in &specs {
        pipeline.hand_in(Input::Instrument(spec.clone()));
    }
    let mut running = Running { pipeline, bundles: BTreeMap::new(), kept: BTreeMap::new() };
    for candidate in candidates {
        deploy(&mut running, candidate, &specs, dir, now)?;
    }
    Ok(running)
}

/// The session with the runner, which may still be starting.
fn runner(socket: &Path) -> Result<RunnerClient, Failure> {
    let patience = Instant::now();
    loop {
        match RunnerClient::connect(socket) {
            Ok(runner) => return Ok(runner),
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

fn limits(dir: &Path) -> Result<Limits, Failure> {
    let file = dir.join("limits.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Failure::Usage(format!("cannot read {}: {error}; without limits nothing trades", file.display()))
    })?;
    Limits::parse(&text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

/// Opens the journal and folds it into a gate.
fn journal(environment: Environment, dir: &Path) -> Result<(Gate, Writer<FileStorage>), Failure> {
    let failed = |error: portcullis_journal::JournalError| Failure::finding(error.code(), error);
    let storage = FileStorage::open(dir).map_err(failed)?;
    let config = LogConfig::live(environment, boot_id().map_err(failed)?);
    let mut gate = Gate::new();
    let mut unreadable = None;
    let log = Log::open(storage, config, &mut |stored| match Record::decode(
        stored.entry.kind,
        &stored.entry.body,
    ) {
        Ok(record) => {
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
    Ok((gate, Writer::new(log).map_err(failed)?))
}

fn candidates(
    config: &Config,
    environment: Environment,
    dir: &Path,
    runner: &mut RunnerClient,
) -> Result<Vec<Candidate>, Failure> {
    let artifacts = Artifacts::open(dir)?;
    let mut candidates = Vec::new();
    for (number, strategy) in (0_u32..).zip(&config.strategies) {
        let candidate = Candidate::prepare(dir, strategy, environment, &artifacts, runner, CellId(number))
            .with_context(|| format!("strategy {}", strategy.name))?;
        candidates.push(candidate);
    }
    Ok(candidates)
}

/// The instruments to follow, with what is wanted of each; numbers of the journal's where it knows them.
fn wanted(gate: &Gate, candidates: &[Candidate]) -> Vec<Wanted> {
    let state = gate.state();
    let mut next = state.next_instrument();
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut follow = |category: Category, symbol: &Symbol| -> usize {
        if let Some(at) = wanted.iter().position(|one| one.category == category && one.symbol == *symbol) {
            return at;
        }
        let known = state.instrument_named(category, symbol);
        let id = known.unwrap_or_else(|| {
            let id = next;
            next = InstrumentId(next.0.saturating_add(1));
            id
        });
        let decimals = known.and_then(|id| state.instrument(id)).map(|instrument| Decimals {
            price: instrument.spec.price_decimals,
            quantity: instrument.spec.quantity_decimals,
        });
        wanted.push(Wanted {
            id,
            category,
            symbol: symbol.clone(),
            decimals,
            book_depth: 0,
            bars_s: Vec::new(),
        });
        wanted.len().saturating_sub(1)
    };
    let mut streams = Vec::new();
    for candidate in candidates {
        let places: Vec<usize> =
            candidate.markets.iter().map(|(category, symbol)| follow(*category, symbol)).collect();
        streams.extend(
            candidate.streams.iter().filter_map(|(market, stream)| Some((*places.get(*market)?, *stream))),
        );
    }
    for (place, stream) in streams {
        let Some(one) = wanted.get_mut(place) else { continue };
        match stream {
            Stream::Book(levels) => one.book_depth = one.book_depth.max(levels),
            Stream::Bars(seconds) if !one.bars_s.contains(&seconds) => one.bars_s.push(seconds),
            Stream::Bars(_) | Stream::Trades | Stream::Quotes | Stream::Funding | Stream::Mark => {}
        }
    }
    wanted
}

fn venue(
    config: &Config,
    environment: Environment,
    dir: &Path,
    gate: &Gate,
    wanted: Vec<Wanted>,
    wake: &Wake,
) -> Result<(BybitVenue, Vec<InstrumentSpec>), Failure> {
    let endpoints = match (environment, &config.venue.rest, &config.venue.ws) {
        (Environment::Paper, Some(rest), Some(ws)) => Endpoints::paper(rest, ws),
        (Environment::Paper, ..) => {
            return Err(Failure::Usage("venue.rest and venue.ws are missing".to_owned()));
        }
        (Environment::Testnet, ..) => Endpoints::testnet(),
        (Environment::Demo, ..) => Endpoints::demo(),
        (Environment::Live, ..) => {
            return Err(Failure::Usage(
                "live trading is not offered by this version; use paper, testnet or demo".to_owned(),
            ));
        }
    };
    let credentials =
        |file: &Path| CredentialsFile::load(dir, file).map(|read| Credentials::new(&read.key, &read.secret));
    let clock: fn() -> Timestamp = clock::now;
    let mut settings =
        VenueSettings::new(environment, endpoints, credentials(&config.venue.read_key)?, clock);
    settings.instruments = wanted;
    // A new journal has no executions; what the account did before is not this journal's.
    let last = gate.state().last_execution();
    if last > Timestamp::default() {
        settings.executions_since = last;
    }
    let signer = LocalSigner::new(credentials(&config.venue.trade_key)?, clock);
    let ring = wake.clone();
    BybitVenue::connect(settings, Box::new(signer), move || ring.ring()).map_err(|error| {
        Failure::Environment(anyhow::Error::new(error).context("cannot connect to the venue"))
    })
}

/// Starts one strategy.
fn deploy(
    running: &mut Running,
    candidate: Candidate,
    specs: &[InstrumentSpec],
    dir: &Path,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut own = Vec::new();
    for (category, symbol) in &candidate.markets {
        let spec = specs.iter().find(|spec| spec.category == *category && spec.symbol == *symbol);
        own.push(spec.cloned().with_context(|| format!("the venue has no rules for {symbol}"))?);
    }
    let budget = Amount::parse(&candidate.config.budget).map_err(|error| anyhow!("budget: {error}"))?;
    let instruments: Vec<InstrumentId> = own.iter().map(|spec| spec.id).collect();
    let digest = candidate.bundle.digest();
    let deployment = Deployment {
        name: candidate.name.clone(),
        digest,
        subscriptions: candidate
            .streams
            .iter()
            .filter_map(|(market, stream)| Some((*instruments.get(*market)?, *stream)))
            .collect(),
        instruments,
        budget,
        snapshot: snapshots::load(dir, &candidate.name, digest),
        warm_up: Vec::new(),
    };
    let manifest = candidate.bundle.manifest();
    let label = format!("{}-{}", manifest.name, manifest.version);
    let spec = CellSpec {
        name: candidate.name.clone(),
        artifact: candidate.artifact,
        limits: candidate.limits,
        setup: Setup { parameters: candidate.parameters, instruments: own, budget, start_time: now },
    };
    let (cell, link, pid) = (candidate.cell, candidate.link, candidate.pid);
    let attach = |cells: &mut LiveCells, id| cells.insert(id, spec, cell, link, pid);
    match running.pipeline.start(deployment, attach) {
        Ok(id) => {
            running.bundles.insert(id, label);
            Ok(())
        }
        Err(Reply::StartRefused { code, instrument }) => Err(Failure::finding(
            code.as_str(),
            format!(
                "strategy {} may not start: {code}{}",
                candidate.name,
                instrument.map(|id| format!(" (instrument {})", id.0)).unwrap_or_default()
            ),
        )),
        Err(other) => Err(Failure::finding(
            "START_REFUSED",
            format!("strategy {} may not start: {other:?}", candidate.name),
        )),
    }
}
