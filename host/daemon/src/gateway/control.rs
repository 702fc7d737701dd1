//! The control socket's questions, answered on the pipeline's thread between two turns.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use portcullis_core::{Input, OperatorCommand, Reply, Scope, TradingState};
use portcullis_role::{ControlReply, ControlRequest, ControlServer};

use crate::gateway::answers;
use crate::gateway::start::Running;
use crate::gateway::wake::Wake;

/// Questions that may wait at once.
const WAITING_MAX: usize = 16;

/// Longest wait of a client for the pipeline.
const PATIENCE: Duration = Duration::from_secs(8);

/// Who asks: the socket is open to this user and root alone.
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
        ControlRequest::Halt { reason } => raise(running, TradingState::EntriesCancelled, reason),
        ControlRequest::Flatten { reason } => raise(running, TradingState::Flattening, reason),
        ControlRequest::CancelEntries { reason } => {
            operate(running, OperatorCommand::CancelEntries { scope: Scope::Account, reason })
        }
        ControlRequest::Rearm { reason, code: None } => {
            operate(running, OperatorCommand::RearmRequest { scope: Scope::Account, reason })
        }
        ControlRequest::Rearm { code: Some(code), .. } => operate(
            running,
            OperatorCommand::RearmConfirm { scope: Scope::Account, code, new_baseline: true },
        ),
        ControlRequest::Stop { strategy } => stop(running, &strategy),
        ControlRequest::Shutdown {} => ControlReply::Done { detail: "the gateway is stopping".to_owned() },
    }
}

fn raise(running: &mut Running, to: TradingState, reason: String) -> ControlReply {
    operate(running, OperatorCommand::Raise { scope: Scope::Account, to, reason })
}

fn operate(running: &mut Running, command: OperatorCommand) -> ControlReply {
    match running.pipeline.hand_in(Input::Operator { actor: ACTOR.to_owned(), command }) {
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

fn stop(running: &mut Running, name: &str) -> ControlReply {
    let found =
        running.pipeline.strategies().find(|(_, session)| session.name().as_str() == name).map(|(id, _)| id);
    match found {
        None => ControlReply::error(
            "UNKNOWN_STRATEGY",
            format!("no strategy {name:?} runs; `portcullis status` lists them"),
        ),
        Some(id) => {
            running.pipeline.stop(id, format!("stopped by {ACTOR}"));
            ControlReply::Done {
                detail: format!("{name} is stopped; its entries are cancelled, its position is kept"),
            }
        }
    }
}
