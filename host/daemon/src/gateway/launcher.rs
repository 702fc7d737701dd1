//! Every strategy's launch, driven step by step between two turns of the pipeline. No step waits: what takes long is done by the
//! worker, the runner, the venue or the cell, and looked for again in the next turn.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use anyhow::Context as _;
use portcullis_bundle::Tier;
use portcullis_bybit::FollowOutcome;
use portcullis_cell::{CellPlace, RunnerError, SealedArtifact};
use portcullis_core::{Category, Environment, InstrumentId, Symbol};
use portcullis_role::{ControlReply, DeploymentLine, Folder};

use crate::clock;
use crate::config::{Config, StrategyConfig};
use crate::failure::Failure;
use crate::gateway::artifacts::Artifacts;
use crate::gateway::candidate::{Checked, Code, Settled, take_compiled};
use crate::gateway::deployments::Deployments;
use crate::gateway::instruments::wanted;
use crate::gateway::launch::{Cell, Launch, Source, Stage};
use crate::gateway::launch_error::LaunchError;
use crate::gateway::start::Running;
use crate::gateway::uploading::{Uploading, Verified};
use crate::gateway::wake::Wake;
use crate::gateway::worker::Worker;
use crate::gateway::{hand_over, uploads};

/// Launches that are over and still answered for.
const REMEMBERED: usize = 64;

/// All launches of this gateway.
pub(crate) struct Launcher {
    /// Where the configuration's paths begin, and where libraries want a path.
    pub(super) dir: PathBuf,
    pub(super) data: Arc<Folder>,
    pub(super) incoming: Arc<Folder>,
    pub(super) bundles: Arc<Folder>,
    pub(super) environment: Environment,
    pub(super) artifacts: Arc<Artifacts>,
    pub(super) worker: Worker<Done>,
    /// Names that stand in the configuration file.
    pub(super) configured: BTreeSet<String>,
    /// Names of the strategies that may be of the tier `wasi`.
    wasi: BTreeSet<String>,
    pub(super) deployments: Deployments,
    /// Uploads that are not accepted yet.
    pub(super) uploading: BTreeMap<u64, Uploading>,
    pub(super) launches: BTreeMap<u64, Launch>,
    /// Answers that wait until the file is written.
    pub(super) stops: BTreeMap<u64, (SyncSender<ControlReply>, String)>,
    /// The launch that the runner compiles for.
    compiling: Option<u64>,
    /// Numbers given to instruments that the gate does not know yet.
    reserved: BTreeMap<(Category, Symbol), InstrumentId>,
    next: u64,
}

/// What the worker finished.
pub(crate) enum Done {
    /// An upload was read and verified.
    Verified(u64, Result<Verified, LaunchError>),
    /// An upload was staged and noted.
    Noted(u64, Result<(), LaunchError>),
    /// A named bundle was read and verified.
    Checked(u64, Result<(Checked, Code), LaunchError>),
    /// A compiled artifact was taken over.
    Stored(u64, Result<SealedArtifact, LaunchError>),
    /// A failed compilation was noted.
    Remembered(anyhow::Result<()>),
    /// A strategy was removed from the file.
    Removed(u64, Result<(), LaunchError>),
}

impl Launcher {
    /// Launches the configured strategies and those deployed in earlier sessions.
    pub(crate) fn start(
        dir: &Path,
        data: &Arc<Folder>,
        environment: Environment,
        config: &Config,
        deployments: Deployments,
        wake: Wake,
    ) -> anyhow::Result<Self> {
        let mut launcher = Self {
            dir: dir.to_owned(),
            data: Arc::clone(data),
            // Made here, so that it belongs to the gateway's user.
            incoming: folder(data, uploads::INCOMING)?,
            bundles: folder(data, uploads::BUNDLES)?,
            environment,
            artifacts: Arc::new(Artifacts::open(data)?),
            worker: Worker::start(wake)?,
            configured: config.strategies.iter().map(|strategy| strategy.name.clone()).collect(),
            wasi: config.wasi.as_ref().map(|wasi| wasi.allow.clone()).unwrap_or_default(),
            deployments: Deployments::default(),
            uploading: BTreeMap::new(),
            launches: BTreeMap::new(),
            stops: BTreeMap::new(),
            compiling: None,
            reserved: BTreeMap::new(),
            next: 1,
        };
        for strategy in &config.strategies {
            launcher.add(strategy, Source::Configured)?;
        }
        for strategy in deployments.iter() {
            launcher.add(strategy, Source::Kept)?;
        }
        launcher.deployments = deployments;
        Ok(launcher)
    }

    fn add(&mut self, config: &StrategyConfig, source: Source) -> anyhow::Result<()> {
        let id = self.number();
        let launch = Launch {
            id,
            name: config.name.parse()?,
            config: config.clone(),
            source,
            label: config.bundle.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            digest: String::new(),
            stage: Stage::Checking,
        };
        self.launches.insert(id, launch);
        let (file, root) = (self.dir.join(&config.bundle), self.dir.join("root.json"));
        let (environment, artifacts) = (self.environment, Arc::clone(&self.artifacts));
        self.worker.give(move || {
            let checked = uploads::read_named(&file)
                .and_then(|bytes| Checked::new(&bytes, &root, environment, &artifacts));
            Done::Checked(id, checked)
        });
        Ok(())
    }

    /// Whether a strategy may be of a tier: WASI runs only where the operator names it.
    pub(super) fn may_be_of(&self, tier: Tier, name: &str) -> Result<(), LaunchError> {
        if tier != Tier::Wasi || self.wasi.contains(name) {
            return Ok(());
        }
        let detail = format!(
            "{name} is of tier wasi, which is not allowed for it here; name it in [wasi] allow of the configuration, or build it without WASI"
        );
        Err(LaunchError::new("WASI_NOT_ALLOWED", detail))
    }

    /// A number nobody had.
    pub(super) fn number(&mut self) -> u64 {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        number
    }

    /// Takes every launch as far as it goes now.
    ///
    /// # Errors
    ///
    /// When the session with the runner is over, and every cell with it.
    pub(crate) fn turn(&mut self, running: &mut Running) -> Result<(), RunnerError> {
        while let Some(done) = self.worker.try_done() {
            self.done(done, running);
        }
        while let Some(outcome) = running.pipeline.venue_mut().try_followed() {
            self.followed(outcome, running);
        }
        self.take_compiled(running)?;
        let ids: Vec<u64> =
            self.launches.iter().filter(|(_, one)| !one.is_over()).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(mut launch) = self.launches.remove(&id) else { continue };
            let advanced = self.advance(&mut launch, running);
            if let Err(error) = &advanced {
                self.fail(&mut launch, LaunchError::new("RUNNER_LOST", error));
            }
            self.launches.insert(id, launch);
            advanced?;
        }
        Ok(())
    }

    /// The runner is gone, and with it what it was doing for launches.
    pub(crate) fn runner_lost(&mut self) {
        self.compiling = None;
        let ids: Vec<u64> = self.launches.keys().copied().collect();
        for id in ids {
            self.with(id, |launcher, launch| {
                if matches!(launch.stage, Stage::Compiling(_) | Stage::Describing(_) | Stage::Following(..)) {
                    launcher
                        .fail(launch, LaunchError::new("RUNNER_LOST", "the runner ended; deploy it again"));
                }
            });
        }
    }

    /// How far a launch is.
    pub(crate) fn line(&self, id: u64) -> Option<DeploymentLine> {
        self.launches.get(&id).map(Launch::line)
    }

    /// Launches that show in no session: those under way, and those of earlier deployments that failed.
    pub(crate) fn outside(&self) -> impl Iterator<Item = DeploymentLine> {
        let kept = |one: &Launch| one.source == Source::Kept && matches!(one.stage, Stage::Failed(_));
        self.launches.values().filter(move |one| !one.has_left() || kept(one)).map(Launch::line)
    }

    /// Whether a launch has not come to the pipeline yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.launches.values().any(|launch| !launch.has_left())
    }

    /// Why a configured strategy did not start: the gateway then must not run.
    pub(crate) fn configured_failure(&self) -> Option<Failure> {
        self.launches.values().find_map(|launch| match (&launch.stage, launch.source) {
            (Stage::Failed(error), Source::Configured) => {
                Some(Failure::finding(error.code, format!("strategy {}: {}", launch.name, error.detail)))
            }
            _ => None,
        })
    }

    /// Cells to wait for that no strategy owns yet, each with whether something is still to be sent there.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = (BorrowedFd<'_>, bool)> {
        self.launches.values().filter_map(|launch| {
            let Stage::Describing(cell) = &launch.stage else { return None };
            Some((cell.link.as_fd(), cell.link.wants_write()))
        })
    }

    fn done(&mut self, done: Done, running: &mut Running) {
        match done {
            Done::Verified(id, verified) => self.verified(id, verified, running),
            Done::Noted(id, noted) => self.noted(id, noted, running),
            Done::Checked(id, checked) => self.with(id, |launcher, launch| {
                let allowed = checked.and_then(|(checked, code)| {
                    launcher.may_be_of(checked.bundle.manifest().tier, launch.name.as_str())?;
                    Ok((checked, code))
                });
                match allowed {
                    Ok((checked, code)) => {
                        launch.label = checked.label();
                        launch.digest = checked.bundle.digest().to_string();
                        launch.stage = Stage::Checked(Box::new(checked), code);
                    }
                    Err(error) => launcher.fail(launch, error),
                }
            }),
            Done::Stored(id, stored) => self.with(id, |launcher, launch| {
                match (std::mem::replace(&mut launch.stage, Stage::Checking), stored) {
                    (Stage::Storing(checked), Ok(artifact)) => {
                        launch.stage = Stage::Checked(checked, Code::Artifact(artifact));
                    }
                    (Stage::Storing(_), Err(error)) => launcher.fail(launch, error),
                    // Stopped meanwhile.
                    (other, _) => launch.stage = other,
                }
            }),
            Done::Remembered(Ok(())) => {}
            Done::Remembered(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "a failed compilation is not remembered");
            }
            Done::Removed(id, removed) => self.removed(id, removed),
        }
    }

    fn with(&mut self, id: u64, body: impl FnOnce(&mut Self, &mut Launch)) {
        if let Some(mut launch) = self.launches.remove(&id) {
            if !launch.is_over() {
                body(self, &mut launch);
            }
            self.launches.insert(id, launch);
        }
    }

    fn followed(&mut self, outcome: FollowOutcome, running: &mut Running) {
        let FollowOutcome { ticket, result } = outcome;
        self.with(ticket, |launcher, launch| {
            let stage = std::mem::replace(&mut launch.stage, Stage::Checking);
            let Stage::Following(cell, settled) = stage else {
                launch.stage = stage;
                return;
            };
            let cell_id = cell.id;
            let started = match result {
                Ok(_) => hand_over::start(running, launch, *cell, settled),
                Err(error) => Err(LaunchError::new("INSTRUMENT_UNAVAILABLE", error)),
            };
            match started {
                Ok(strategy) => launch.stage = Stage::Started(strategy),
                Err(error) => {
                    running.pipeline.cells_mut().abandon(cell_id);
                    launcher.fail(launch, error);
                }
            }
        });
    }

    fn take_compiled(&mut self, running: &mut Running) -> Result<(), RunnerError> {
        let Some(id) = self.compiling else { return Ok(()) };
        let compiled = match running.pipeline.cells_mut().try_compiled() {
            Ok(None) => return Ok(()),
            Ok(Some(compiled)) => Ok(compiled),
            Err(RunnerError::CompileFailed(detail)) => {
                self.remember_failure(id, &detail);
                Err(LaunchError::new("COMPILE_FAILED", detail))
            }
            Err(error @ RunnerError::CompileInterrupted(_)) => {
                Err(LaunchError::new("COMPILE_INTERRUPTED", error))
            }
            Err(error) => return Err(error),
        };
        self.compiling = None;
        self.with(id, |launcher, launch| {
            match (std::mem::replace(&mut launch.stage, Stage::Checking), compiled) {
                (Stage::Compiling(checked), Ok(compiled)) => {
                    let component = checked.bundle.component_digest();
                    let artifacts = Arc::clone(&launcher.artifacts);
                    launcher
                        .worker
                        .give(move || Done::Stored(id, take_compiled(compiled, component, &artifacts)));
                    launch.stage = Stage::Storing(checked);
                }
                (Stage::Compiling(_), Err(error)) => launcher.fail(launch, error),
                (other, _) => launch.stage = other,
            }
        });
        Ok(())
    }

    /// Notes that a launch's component does not compile.
    fn remember_failure(&self, id: u64, reason: &str) {
        let Some(Stage::Compiling(checked)) = self.launches.get(&id).map(|launch| &launch.stage) else {
            return;
        };
        let (component, limits) = (checked.bundle.component_digest(), checked.compile_limits());
        let (artifacts, reason) = (Arc::clone(&self.artifacts), reason.to_owned());
        self.worker.give(move || Done::Remembered(artifacts.keep_failure(component, limits, &reason)));
    }

    fn advance(&mut self, launch: &mut Launch, running: &mut Running) -> Result<(), RunnerError> {
        match std::mem::replace(&mut launch.stage, Stage::Checking) {
            Stage::Checked(checked, Code::Component(component)) if self.compiling.is_none() => {
                let limits = checked.compile_limits();
                running.pipeline.cells_mut().begin_compile(component.as_fd(), limits)?;
                self.compiling = Some(launch.id);
                launch.stage = Stage::Compiling(checked);
            }
            Stage::Checked(checked, Code::Artifact(artifact)) => {
                self.start_cell(launch, checked, artifact, running)?;
            }
            Stage::Describing(mut cell) => match cell.poll() {
                Ok(None) => launch.stage = Stage::Describing(cell),
                Ok(Some(description)) => {
                    match Settled::new(&cell.checked, &description, &launch.config.parameters) {
                        Ok(settled) => self.follow(launch, cell, settled, running),
                        Err(error) => self.give_up(launch, &cell, error, running),
                    }
                }
                Err(error) => self.give_up(launch, &cell, error, running),
            },
            Stage::Started(strategy) => self.watch(launch, strategy, running),
            waiting @ (Stage::Checking
            | Stage::Checked(..)
            | Stage::Compiling(_)
            | Stage::Storing(_)
            | Stage::Following(..)
            | Stage::Running
            | Stage::Failed(_)) => launch.stage = waiting,
        }
        Ok(())
    }

    fn start_cell(
        &mut self,
        launch: &mut Launch,
        checked: Box<Checked>,
        artifact: SealedArtifact,
        running: &mut Running,
    ) -> Result<(), RunnerError> {
        let place = match place(checked.bundle.manifest().tier, launch.config.cell.as_deref()) {
            Ok(place) => place,
            Err(error) => {
                self.fail(launch, error);
                return Ok(());
            }
        };
        let cells = running.pipeline.cells_mut();
        let (id, started) = match cells.launch(&launch.name, checked.limits, &place, &artifact) {
            Ok(started) => started,
            Err(RunnerError::StartFailed(detail)) => {
                self.fail(launch, LaunchError::new("CELL_NOT_STARTED", detail));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let since = Instant::now();
        let mut cell =
            Box::new(Cell { checked, artifact, place, id, pid: started.pid, link: started.link, since });
        match cell.ask() {
            Ok(()) => launch.stage = Stage::Describing(cell),
            Err(error) => self.give_up(launch, &cell, error, running),
        }
        Ok(())
    }

    fn follow(&mut self, launch: &mut Launch, cell: Box<Cell>, settled: Settled, running: &mut Running) {
        let state = running.pipeline.gate().state();
        let wanted = wanted(state, &mut self.reserved, &cell.checked.markets, &settled.streams);
        running.pipeline.venue_mut().follow(launch.id, wanted);
        launch.stage = Stage::Following(cell, settled);
    }

    /// Waits for the strategy's first instance.
    fn watch(&mut self, launch: &mut Launch, strategy: portcullis_core::StrategyId, running: &mut Running) {
        let session =
            running.pipeline.strategies().find(|(id, _)| *id == strategy).map(|(_, session)| session);
        let Some(session) = session else {
            return self.fail(launch, LaunchError::new("STOPPED", "stopped before it ran"));
        };
        match session.state() {
            "running" => {
                tracing::info!(strategy = %launch.name, bundle = launch.label, "running");
                launch.stage = Stage::Running;
                self.forget_old();
            }
            "quarantined" => {
                let cause = session.faults(clock::now()).first.map(ToString::to_string);
                let cause = cause.unwrap_or_else(|| "it failed".to_owned());
                if launch.source == Source::Uploaded {
                    running.pipeline.stop(strategy, "its deployment failed".to_owned());
                }
                self.fail(launch, LaunchError::new("QUARANTINED", cause));
            }
            _ => launch.stage = Stage::Started(strategy),
        }
    }

    /// Ends a launch and its cell.
    pub(super) fn give_up(
        &mut self,
        launch: &mut Launch,
        cell: &Cell,
        error: LaunchError,
        running: &mut Running,
    ) {
        running.pipeline.cells_mut().abandon(cell.id);
        self.fail(launch, error);
    }

    /// Ends a launch. What was uploaded is forgotten.
    pub(super) fn fail(&mut self, launch: &mut Launch, error: LaunchError) {
        tracing::error!(strategy = %launch.name, bundle = launch.label, %error, "a strategy did not start");
        launch.stage = Stage::Failed(error);
        if launch.source == Source::Uploaded && self.deployments.remove(launch.name.as_str()) {
            let id = self.number();
            self.save(move |saved| Done::Removed(id, saved));
        }
        self.forget_old();
    }

    /// Has the worker write the file of deployments as it is now.
    pub(super) fn save(&self, done: impl FnOnce(Result<(), LaunchError>) -> Done + Send + 'static) {
        let draft = self.deployments.draft(&self.data);
        self.worker.give(move || {
            let write = |draft: crate::gateway::deployments::Draft| {
                draft.write().map_err(|error| LaunchError::new("NOT_SAVED", error))
            };
            done(draft.and_then(write))
        });
    }

    fn forget_old(&mut self) {
        let kept = |one: &Launch| one.source == Source::Kept && matches!(one.stage, Stage::Failed(_));
        let over: Vec<u64> =
            self.launches.values().filter(|one| one.is_over() && !kept(one)).map(|one| one.id).collect();
        for id in over.iter().take(over.len().saturating_sub(REMEMBERED)) {
            self.launches.remove(id);
        }
    }
}

/// In which process a strategy runs: what its tier asks for, and the operator's configuration.
fn place(tier: Tier, shared: Option<&str>) -> Result<CellPlace, LaunchError> {
    match (tier, shared) {
        (Tier::Wasi, None) => Ok(CellPlace::Wasi),
        (Tier::Wasi, Some(name)) => {
            let detail = format!("a strategy of tier wasi runs alone; remove cell = {name:?}");
            Err(LaunchError::new("CELL_INVALID", detail))
        }
        (Tier::Native | Tier::Script, None) => Ok(CellPlace::Own),
        (Tier::Native | Tier::Script, Some(name)) => {
            name.parse().map(CellPlace::Shared).map_err(|error| LaunchError::new("CELL_INVALID", error))
        }
    }
}

/// A folder of the data directory, made if it is missing.
fn folder(data: &Folder, name: &str) -> anyhow::Result<Arc<Folder>> {
    let opened = data.sub(name, 0o750);
    Ok(Arc::new(opened.with_context(|| format!("cannot open {}", data.path(name).display()))?))
}
