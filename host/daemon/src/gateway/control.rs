//! The control socket's questions, answered on the pipeline's thread between two turns.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use portcullis_core::{Input, OperatorCommand, Reply, Scope, TradingState};
use portcullis_role::{ActorName, ControlReply, ControlRequest, ControlServer};

use crate::gateway::answers;
use crate::gateway::start::Running;
use crate::gateway::wake::Wake;

/// Questions that may wait at once.
const WAITING_MAX: usize = 16;

/// Longest wait of a client for the pipeline.
const PATIENCE: Duration = Duration::from_secs(8);

/// Who asks when nobody is named: the socket is open to this user and root alone.
const ACTOR: &str = "control-socket";

struct Question {
    request: ControlRequest,
    answer: SyncSender<ControlReply>,
}

/// The control server and what it has been asked.
pub(crate) struct Control {
    questions: Receiver<Question>,
    _server: ControlServer,
}

impl Control {
    /// Starts to listen.
    pub(crate) fn start(path: &Path, wake: Wake) -> io::Result<Self> {
        let (ask, questions) = sync_channel(WAITING_MAX);
        let server = ControlServer::start(path, move |request| forward(&ask, &wake, request))?;
        Ok(Self { questions, _server: server })
    }

    /// Answers everything that waits. True when the gateway is to end.
    pub(crate) fn answer(&self, running: &mut Running, started: Instant) -> bool {
        let mut shutdown = false;
        while let Ok(question) = self.questions.try_recv() {
            shutdown |= matches!(question.request, ControlRequest::Shutdown {});
            let reply = reply(running, question.request, started);
            // A client that has gone away needs no answer.
            let _ = question.answer.send(reply);
        }
        shutdown
    }
}

fn forward(ask: &SyncSender<Question>, wake: &Wake, request: ControlRequest) -> ControlReply {
    let (answer, answered) = sync_channel(1);
    match ask.try_send(Question { request, answer }) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => {
            return ControlReply::error("BUSY", "too many questions at once; ask again");
        }
        Err(TrySendError::Disconnected(_)) => {
            return ControlReply::error("STOPPING", "the gateway is stopping");
        }
    }
    wake.ring();
    answered.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        ControlReply::error("NO_ANSWER", "the gateway did not answer in time; it may be waiting for its disk")
    })
}

fn reply(running: &mut Running, request: ControlRequest, started: Instant) -> ControlReply {
    match request {
        ControlRequest::Status {} => {
            let uptime_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            answers::status(running, uptime_ns)
        }
        ControlRequest::Orders {} => answers::orders(running.pipeline.gate().state()),
        ControlRequest::Positions {} => answers::positions(running.pipeline.gate()),
        ControlRequest::Denials {} => answers::denials(running),
        ControlRequest::Halt { reason, actor } => {
            raise(running, actor, TradingState::EntriesCancelled, reason)
        }
        ControlRequest::Flatten { reason, actor } => raise(running, actor, TradingState::Flattening, reason),
        ControlRequest::CancelEntries { reason, actor } => {
            operate(running, actor, OperatorCommand::CancelEntries { scope: Scope::Account, reason })
        }
        ControlRequest::Rearm { reason, code: None, actor } => {
            operate(running, actor, OperatorCommand::RearmRequest { scope: Scope::Account, reason })
        }
        ControlRequest::Rearm { code: Some(code), actor, .. } => operate(
            running,
            actor,
            OperatorCommand::RearmConfirm { scope: Scope::Account, code, new_baseline: true },
        ),
        ControlRequest::Stop { strategy, actor } => stop(running, actor, &strategy),
        ControlRequest::Deploy(_) => ControlReply::error(
            "DEPLOY_UNAVAILABLE",
            "this gateway takes no bundles while it runs; name them in the configuration file and start it again",
        ),
        ControlRequest::Deployment { id } => {
            ControlReply::error("UNKNOWN_DEPLOYMENT", format!("there is no deployment {id}"))
        }
        ControlRequest::Access { .. } | ControlRequest::FailedAccess { .. } => {
            ControlReply::error("ACCESS_UNAVAILABLE", "this gateway does not journal logins")
        }
        ControlRequest::Shutdown {} => ControlReply::Done { detail: "the gateway is stopping".to_owned() },
    }
}

/// Who asks, in words.
fn name(actor: Option<ActorName>) -> String {
    actor.map_or_else(|| ACTOR.to_owned(), String::from)
}

fn raise(running: &mut Running, actor: Option<ActorName>, to: TradingState, reason: String) -> ControlReply {
    operate(running, actor, OperatorCommand::Raise { scope: Scope::Account, to, reason })
}

fn operate(running: &mut Running, actor: Option<ActorName>, command: OperatorCommand) -> ControlReply {
    match running.pipeline.hand_in(Input::Operator { actor: name(actor), command }) {
        None | Some(Reply::Done) => {
            let state = running.pipeline.gate().state().ladder().of(Scope::Account);
            ControlReply::Done {
                detail: format!("trading state: {state}; `portcullis status` shows what is left to do"),
            }
        }
        Some(Reply::Nothing) => ControlReply::Done { detail: "nothing to do: it is so already".to_owned() },
        Some(Reply::ConfirmWith { code, .. }) => ControlReply::Confirm {
            code,
            detail: "Entries will be allowed again. The code is good for a minute.".to_owned(),
        },
        Some(Reply::Refused(why)) => ControlReply::error("REFUSED", why),
        Some(Reply::StartRefused { code, .. }) => {
            ControlReply::error(code.as_str(), "the strategy may not start")
        }
    }
}

fn stop(running: &mut Running, actor: Option<ActorName>, strategy: &str) -> ControlReply {
    let found = running
        .pipeline
        .strategies()
        .find(|(_, session)| session.name().as_str() == strategy)
        .map(|(id, _)| id);
    match found {
        None => ControlReply::error(
            "UNKNOWN_STRATEGY",
            format!("no strategy {strategy:?} runs; `portcullis status` lists them"),
        ),
        Some(id) => {
            running.pipeline.stop(id, format!("stopped by {}", name(actor)));
            ControlReply::Done {
                detail: format!("{strategy} is stopped; its entries are cancelled, its position is kept"),
            }
        }
    }
}
