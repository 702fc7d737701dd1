//! The control socket's questions, answered on the pipeline's thread between two turns.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use portcullis_core::{Input, OperatorCommand, Reply, Scope, TradingState};
use portcullis_role::{ActorName, ControlReply, ControlRequest, ControlServer, ScopeName};

use crate::cli::Sockets;
use crate::gateway::answers;
use crate::gateway::launcher::Launcher;
use crate::gateway::limits::{self, LimitsDesk};
use crate::gateway::scope;
use crate::gateway::start::Running;
use crate::gateway::wake::Wake;
use crate::sockets;

/// Questions that may wait at once.
const WAITING_MAX: usize = 16;

/// Longest wait of a client for the pipeline.
const PATIENCE: Duration = Duration::from_secs(8);

/// Longest wait of a client for an upload to be verified, or for a file to be written.
const WORKER_PATIENCE: Duration = Duration::from_secs(60);

/// Who asks when nobody is named: the socket is open to this user and root alone.
const ACTOR: &str = "control-socket";

/// Who reports attempts to come in.
const CONSOLE: &str = "console";

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
    pub(crate) fn start(from: Sockets, path: &Path, wake: Wake) -> anyhow::Result<Self> {
        let (ask, questions) = sync_channel(WAITING_MAX);
        let server = sockets::answer(from, path, move |request| forward(&ask, &wake, request))?;
        Ok(Self { questions, _server: server })
    }

    /// Answers everything that waits. `watched` says whether the sentinel holds a lease, where there is to be one. True when the
    /// gateway is to end.
    pub(crate) fn answer(
        &self,
        running: &mut Running,
        launcher: &mut Launcher,
        limits: &mut LimitsDesk,
        watched: Option<bool>,
        started: Instant,
    ) -> bool {
        let mut shutdown = false;
        while let Ok(question) = self.questions.try_recv() {
            shutdown |= matches!(question.request, ControlRequest::Shutdown {});
            serve(running, launcher, limits, question, watched, started);
        }
        shutdown
    }
}

fn forward(ask: &SyncSender<Question>, wake: &Wake, request: ControlRequest) -> ControlReply {
    let by_worker = matches!(
        request,
        ControlRequest::Deploy(_) | ControlRequest::Stop { .. } | ControlRequest::SetLimits(_)
    );
    let patience = if by_worker { WORKER_PATIENCE } else { PATIENCE };
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
    answered.recv_timeout(patience).unwrap_or_else(|_| {
        ControlReply::error("NO_ANSWER", "the gateway did not answer in time; it may be waiting for its disk")
    })
}

fn serve(
    running: &mut Running,
    launcher: &mut Launcher,
    limits: &mut LimitsDesk,
    question: Question,
    watched: Option<bool>,
    started: Instant,
) {
    let Question { request, answer } = question;
    let reply = match request {
        ControlRequest::Status {} => {
            let uptime_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            answers::status(running, launcher, watched, uptime_ns)
        }
        ControlRequest::Orders {} => answers::orders(running.pipeline.gate().state()),
        ControlRequest::Positions {} => answers::positions(running.pipeline.gate()),
        ControlRequest::Denials {} => answers::denials(running),
        ControlRequest::Halt { reason, scope, actor } => {
            let command =
                |scope| OperatorCommand::Raise { scope, to: TradingState::EntriesCancelled, reason };
            operate(running, actor, scope.as_ref(), command)
        }
        ControlRequest::Flatten { reason, scope, actor } => {
            let command = |scope| OperatorCommand::Raise { scope, to: TradingState::Flattening, reason };
            operate(running, actor, scope.as_ref(), command)
        }
        ControlRequest::CancelEntries { reason, scope, actor } => {
            operate(running, actor, scope.as_ref(), |scope| OperatorCommand::CancelEntries { scope, reason })
        }
        ControlRequest::Rearm { reason, scope, code: None, actor, .. } => {
            operate(running, actor, scope.as_ref(), |scope| OperatorCommand::RearmRequest { scope, reason })
        }
        ControlRequest::Rearm { scope, code: Some(code), new_baseline, actor, .. } => {
            let command = |scope| OperatorCommand::RearmConfirm { scope, code, new_baseline };
            operate(running, actor, scope.as_ref(), command)
        }
        ControlRequest::Deployment { id } => match launcher.line(id) {
            Some(line) => ControlReply::Deployment(line),
            None => ControlReply::error(
                "UNKNOWN_DEPLOYMENT",
                format!(
                    "there is no deployment {id}, or the gateway started again since; the status shows what runs"
                ),
            ),
        },
        ControlRequest::Access { kind, user, address } => {
            note(running, user.into(), OperatorCommand::Access { kind, address })
        }
        ControlRequest::FailedAccess { count } => {
            note(running, CONSOLE.to_owned(), OperatorCommand::FailedAccess { count })
        }
        ControlRequest::Reconcile { actor } => {
            running
                .pipeline
                .hand_in(Input::Operator { actor: name(actor), command: OperatorCommand::Reconcile });
            ControlReply::Done {
                detail: "the venue is asked for everything; the status tells the outcome".to_owned(),
            }
        }
        ControlRequest::Limits {} => limits::report(running),
        ControlRequest::Override(request) => limits::grant_override(running, request),
        // These are answered once a worker is done with them.
        ControlRequest::SetLimits(request) => return limits.set(request, answer, running),
        ControlRequest::Deploy(request) => return launcher.deploy(request, answer, running),
        ControlRequest::Stop { strategy, actor } => return launcher.stop(&strategy, actor, answer, running),
        ControlRequest::Shutdown {} => ControlReply::Done { detail: "the gateway is stopping".to_owned() },
    };
    // A client that has gone away needs no answer.
    let _ = answer.send(reply);
}

/// Who asks, in words.
pub(crate) fn name(actor: Option<ActorName>) -> String {
    actor.map_or_else(|| ACTOR.to_owned(), String::from)
}

/// Journals a fact that asks nothing of the gate.
fn note(running: &mut Running, actor: String, command: OperatorCommand) -> ControlReply {
    running.pipeline.hand_in(Input::Operator { actor, command });
    ControlReply::Done { detail: "journaled".to_owned() }
}

fn operate(
    running: &mut Running,
    actor: Option<ActorName>,
    scope: Option<&ScopeName>,
    command: impl FnOnce(Scope) -> OperatorCommand,
) -> ControlReply {
    let scope = match scope::resolve(scope, running.pipeline.gate().state()) {
        Ok(scope) => scope,
        Err(unknown) => return *unknown,
    };
    match running.pipeline.hand_in(Input::Operator { actor: name(actor), command: command(scope) }) {
        None | Some(Reply::Done) => {
            let state = running.pipeline.gate().state();
            let (of, rung) = (scope::words(scope, state), state.ladder().of(scope));
            ControlReply::Done {
                detail: format!("{of}: trading state {rung}; `portcullis status` shows what is left to do"),
            }
        }
        Some(Reply::Nothing) => ControlReply::Done { detail: "nothing to do: it is so already".to_owned() },
        Some(Reply::ConfirmWith { code, .. }) => ControlReply::Confirm {
            code,
            detail: "Entries will be allowed again. A loss limit that was reached trips again at once, unless the day's loss and the drawdown \
                     are to count from here on (--new-baseline). The code is good for a minute."
                .to_owned(),
        },
        Some(Reply::Refused(why)) => ControlReply::error("REFUSED", why),
        Some(Reply::StartRefused { code, .. }) => {
            ControlReply::error(code.as_str(), "the strategy may not start")
        }
    }
}
