//! Uploads until they are accepted, and the end of what was deployed.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use portcullis_cell::SharedCellName;
use portcullis_core::{ActorName, Amount, Environment, Input, OperatorCommand, StrategyName};
use portcullis_role::{ControlReply, DeployRequest};

use crate::config::StrategyConfig;
use crate::gateway::candidate::{Checked, Code};
use crate::gateway::launch::{Launch, Source, Stage};
use crate::gateway::launch_error::LaunchError;
use crate::gateway::launcher::{Done, Launcher};
use crate::gateway::start::Running;
use crate::gateway::{control, hand_over, uploads};

/// Uploads and launches under way at once.
const UNDER_WAY_MAX: usize = 8;

/// An upload that is not accepted yet.
pub(crate) struct Uploading {
    request: DeployRequest,
    answer: SyncSender<ControlReply>,
    /// What was found out, while it is staged and noted.
    accepted: Option<Accepted>,
}

struct Accepted {
    name: StrategyName,
    config: StrategyConfig,
    checked: Checked,
    code: Code,
}

/// A verified upload.
pub(crate) struct Verified {
    checked: Checked,
    code: Code,
    bytes: Vec<u8>,
}

impl Launcher {
    /// Takes an upload on. The answer comes once it is verified and noted, or refused.
    pub(crate) fn deploy(
        &mut self,
        request: DeployRequest,
        answer: SyncSender<ControlReply>,
        running: &Running,
    ) {
        if let Err(error) = self.may_deploy(&request, running) {
            return refuse(&answer, error);
        }
        let id = self.number();
        let (incoming, upload) = (Arc::clone(&self.incoming), request.bundle.clone());
        let root = self.dir.join("root.json");
        let (environment, artifacts) = (self.environment, Arc::clone(&self.artifacts));
        self.worker.give(move || {
            let verified = uploads::take(&incoming, &upload).and_then(|bytes| {
                let (checked, code) = Checked::new(&bytes, &root, environment, &artifacts)?;
                Ok(Verified { checked, code, bytes })
            });
            Done::Verified(id, verified)
        });
        self.uploading.insert(id, Uploading { request, answer, accepted: None });
    }

    /// What can be told without opening the bundle.
    fn may_deploy(&self, request: &DeployRequest, running: &Running) -> Result<(), LaunchError> {
        if self.environment != Environment::Paper {
            let detail = format!(
                "bundles are uploaded to paper only; in {} name the bundle in the configuration file and start the gateway again",
                self.environment
            );
            return Err(LaunchError::new("UPLOAD_PAPER_ONLY", detail));
        }
        let under_way = self.launches.values().filter(|launch| !launch.has_left()).count();
        if under_way.saturating_add(self.uploading.len()) >= UNDER_WAY_MAX {
            let detail = format!("{UNDER_WAY_MAX} deployments are under way; ask again when one is done");
            return Err(LaunchError::new("DEPLOYMENTS_BUSY", detail));
        }
        match Amount::parse(&request.budget) {
            Ok(budget) if budget > Amount::ZERO => {}
            Ok(_) => return Err(LaunchError::new("BUDGET_INVALID", "the budget must be above 0")),
            Err(error) => {
                return Err(LaunchError::new("BUDGET_INVALID", format!("{:?}: {error}", request.budget)));
            }
        }
        match &request.name {
            Some(name) => self.may_be_called(&parse_name(name)?, running),
            None => Ok(()),
        }
    }

    fn may_be_called(&self, name: &StrategyName, running: &Running) -> Result<(), LaunchError> {
        let exists = |how: &str| Err(LaunchError::new("STRATEGY_EXISTS", format!("a strategy {name} {how}")));
        if self.configured.contains(name.as_str()) {
            return exists("stands in the configuration file; choose another name");
        }
        if running.pipeline.strategies().any(|(_, session)| session.name() == name) {
            return exists("runs already; stop it first, or choose another name");
        }
        if self.deployments.contains(name.as_str()) {
            return exists("is deployed already; stop it first, or choose another name");
        }
        Ok(())
    }

    /// The worker has verified an upload, or refused it.
    pub(super) fn verified(&mut self, id: u64, verified: Result<Verified, LaunchError>, running: &Running) {
        let Some(mut uploading) = self.uploading.remove(&id) else { return };
        match verified.and_then(|verified| self.accept(&uploading.request, verified, id, running)) {
            Ok(accepted) => {
                uploading.accepted = Some(accepted);
                self.uploading.insert(id, uploading);
            }
            Err(error) => refuse(&uploading.answer, error),
        }
    }

    fn accept(
        &mut self,
        request: &DeployRequest,
        verified: Verified,
        id: u64,
        running: &Running,
    ) -> Result<Accepted, LaunchError> {
        let Verified { checked, code, bytes } = verified;
        let name = match &request.name {
            Some(name) => parse_name(name)?,
            None => parse_name(checked.bundle.manifest().name.as_str())?,
        };
        self.may_be_called(&name, running)?;
        self.may_be_of(checked.bundle.manifest().tier, name.as_str())?;
        let budget =
            Amount::parse(&request.budget).map_err(|error| LaunchError::new("BUDGET_INVALID", error))?;
        hand_over::may_own(running, &name, &checked.markets, budget)?;
        if let Some(cell) = &request.cell {
            cell.parse::<SharedCellName>()
                .map_err(|error| LaunchError::new("CELL_INVALID", format!("cell {cell:?}: {error}")))?;
        }
        let place = uploads::place(&checked.bundle);
        let config = StrategyConfig {
            name: name.to_string(),
            bundle: place,
            budget: request.budget.clone(),
            parameters: request.parameters.clone(),
            cell: request.cell.clone(),
        };
        self.deployments.add(config.clone())?;
        // First the bundle, then the note of it: after a crash in between there is a file too many, and nothing else.
        let (bundles, draft) = (Arc::clone(&self.bundles), self.deployments.draft(&self.data));
        let file = checked.bundle.stored_file_name();
        self.worker.give(move || {
            let staged = bundles.replace(&file, &bytes);
            let noted = staged
                .map_err(|error| LaunchError::new("NOT_SAVED", error))
                .and_then(|()| draft?.write().map_err(|error| LaunchError::new("NOT_SAVED", error)));
            Done::Noted(id, noted)
        });
        Ok(Accepted { name, config, checked, code })
    }

    /// The worker has staged an upload and noted it: from here on it is part of the configuration.
    pub(super) fn noted(&mut self, id: u64, noted: Result<(), LaunchError>, running: &mut Running) {
        let Some(Uploading { request, answer, accepted: Some(accepted) }) = self.uploading.remove(&id) else {
            return;
        };
        let Accepted { name, config, checked, code } = accepted;
        if let Err(error) = noted {
            self.deployments.remove(name.as_str());
            self.save(move |saved| Done::Removed(id, saved));
            return refuse(&answer, error);
        }
        let label = checked.label();
        let digest = checked.bundle.digest().to_string();
        let command = OperatorCommand::Deploy {
            strategy: name.clone(),
            bundle: label.clone(),
            digest: checked.bundle.digest(),
        };
        running.pipeline.hand_in(Input::Operator { actor: control::name(request.actor), command });
        let reply = ControlReply::Accepted {
            deployment: id,
            strategy: name.to_string(),
            bundle: label.clone(),
            digest: digest.clone(),
        };
        let stage = Stage::Checked(Box::new(checked), code);
        let launch = Launch { id, name, config, source: Source::Uploaded, label, digest, stage };
        self.launches.insert(id, launch);
        // A client that has gone away finds it in the status.
        let _ = answer.send(reply);
    }

    /// Stops a strategy for good: one that runs, one under way, or one deployed earlier that failed.
    pub(crate) fn stop(
        &mut self,
        strategy: &str,
        actor: Option<ActorName>,
        answer: SyncSender<ControlReply>,
        running: &mut Running,
    ) {
        let taken = |uploading: &Uploading| {
            uploading.accepted.as_ref().is_some_and(|accepted| accepted.name.as_str() == strategy)
        };
        if self.uploading.values().any(taken) {
            return refuse(
                &answer,
                LaunchError::new("BUSY", format!("{strategy} is being deployed; ask again")),
            );
        }
        let session = running.pipeline.strategies().find(|(_, session)| session.name().as_str() == strategy);
        let session = session.map(|(id, _)| id);
        let launches: Vec<u64> = self
            .launches
            .values()
            .filter(|launch| launch.name.as_str() == strategy && !matches!(launch.stage, Stage::Running))
            .map(|launch| launch.id)
            .collect();
        let deployed = self.deployments.contains(strategy);
        let pending = launches.iter().any(|id| self.launches.get(id).is_some_and(|one| !one.is_over()));
        let Ok(name) = strategy.parse::<StrategyName>() else {
            return refuse(&answer, unknown(strategy));
        };
        if session.is_none() && !pending && !deployed {
            return refuse(&answer, unknown(strategy));
        }
        let actor = control::name(actor);
        let command = OperatorCommand::Stop { strategy: name };
        running.pipeline.hand_in(Input::Operator { actor: actor.clone(), command });
        if let Some(id) = session {
            running.pipeline.stop(id, format!("stopped by {actor}"));
        }
        for id in launches {
            self.cancel(id, running);
        }
        let lasting = if self.configured.contains(strategy) {
            "; it comes back with the gateway, because it stands in the configuration file"
        } else {
            ""
        };
        let detail =
            format!("{strategy} is stopped; its entries are cancelled, its position is kept{lasting}");
        if deployed {
            self.deployments.remove(strategy);
            let id = self.number();
            self.stops.insert(id, (answer, detail));
            self.save(move |saved| Done::Removed(id, saved));
        } else {
            let _ = answer.send(ControlReply::Done { detail });
        }
    }

    fn cancel(&mut self, id: u64, running: &mut Running) {
        let Some(mut launch) = self.launches.remove(&id) else { return };
        if !launch.is_over() {
            let stopped = LaunchError::new("STOPPED", "stopped before it ran");
            match std::mem::replace(&mut launch.stage, Stage::Checking) {
                Stage::Describing(cell) | Stage::Following(cell, _) => {
                    self.give_up(&mut launch, &cell, stopped, running);
                }
                Stage::Checking
                | Stage::Checked(..)
                | Stage::Compiling(_)
                | Stage::Storing(_)
                | Stage::Started(_)
                | Stage::Running
                | Stage::Failed(_) => self.fail(&mut launch, stopped),
            }
        }
        // Once stopped, an earlier deployment no longer shows as failed.
        if launch.source == Source::Kept {
            launch.source = Source::Uploaded;
        }
        self.launches.insert(id, launch);
    }

    /// The worker has removed a strategy from the file.
    pub(super) fn removed(&mut self, id: u64, removed: Result<(), LaunchError>) {
        if let Err(error) = &removed {
            tracing::error!(%error, "the file of deployments was not written");
        }
        let Some((answer, detail)) = self.stops.remove(&id) else { return };
        match removed {
            Ok(()) => {
                let _ = answer.send(ControlReply::Done { detail });
            }
            Err(error) => refuse(
                &answer,
                LaunchError::new(
                    error.code,
                    format!("{detail}; but it comes back with the gateway: {}", error.detail),
                ),
            ),
        }
    }
}

fn parse_name(name: &str) -> Result<StrategyName, LaunchError> {
    name.parse().map_err(|error| LaunchError::new("STRATEGY_NAME_INVALID", format!("{name:?}: {error}")))
}

fn unknown(strategy: &str) -> LaunchError {
    let detail = format!("no strategy {strategy:?} runs; `portcullis status` lists them");
    LaunchError::new("UNKNOWN_STRATEGY", detail)
}

fn refuse(answer: &SyncSender<ControlReply>, error: LaunchError) {
    // A client that has gone away needs no answer.
    let _ = answer.send(ControlReply::error(error.code, error.detail));
}
