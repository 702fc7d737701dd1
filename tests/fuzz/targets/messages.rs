//! Messages between the roles: what a socket hands over is typed and bounded, or an error.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use portcullis_cell::{
    ACTIONS_PER_FRAME_MAX, BACKTRACE_FRAMES_MAX, CELL_PROTOCOL, CellExit, CellFault, CellId, CellLimits,
    CellLink, CellPlace, CellReply, CellRequest, CompileLimits, Description, DescriptionParts, ExitStatus,
    FAULT_DETAIL_BYTES_MAX, FaultKind, FrameOutcome, InitRefusal, LOG_LINE_BYTES_MAX, METRIC_NAME_BYTES_MAX,
    MemoryUse, Parameter, ParameterKind, RUNNER_MESSAGE_BYTES_MAX, RestoreRefusal, RunnerMessage,
    RunnerRequest, SNAPSHOT_BYTES_MAX, Setup, Snapshot, Stream, Subscription,
};
use portcullis_core::{ActionBody, Amount, Digest, Outcome, Timestamp};
use portcullis_role::{CONTROL_LINE_BYTES_MAX, ControlRequest, MessageLink, MessageSocket, ScopeName};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::actions;

/// Longest input that a socket takes without anybody reading.
const SOCKET_MAX: usize = 60 << 10;

/// A message as it lies on a socket.
fn framed<T: Serialize>(message: &T) -> Vec<u8> {
    let body = postcard::to_allocvec(message).unwrap();
    [&u32::try_from(body.len()).unwrap().to_le_bytes(), body.as_slice()].concat()
}

/// A socket in which these bytes wait, and the peer's end of it.
fn pair(input: &[u8]) -> (UnixStream, UnixStream) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(&input[..input.len().min(SOCKET_MAX)]).unwrap();
    (ours, theirs)
}

/// A socket in which these bytes wait, and after them its end.
fn socket(input: &[u8]) -> UnixStream {
    pair(input).0
}

/// Encoding what was decoded and decoding that gives the same bytes: floats that are no numbers included.
fn same_again<T: Serialize + DeserializeOwned>(message: &T) {
    let bytes = postcard::to_allocvec(message).unwrap();
    let again: T = postcard::from_bytes(&bytes).expect("it was decoded once");
    assert_eq!(postcard::to_allocvec(&again).unwrap(), bytes);
}

pub fn cell_replies() -> Vec<Vec<u8>> {
    let description = Description::try_from(DescriptionParts {
        name: "tiny".to_owned(),
        version: "0.1.0".to_owned(),
        parameters: vec![Parameter {
            name: "length".to_owned(),
            doc: "How many.".to_owned(),
            kind: ParameterKind::Integer { min: 1, max: 9 },
            default: Some("3".to_owned()),
        }],
        subscriptions: vec![Subscription {
            symbol: Some("linear:BTCUSDT".to_owned()),
            stream: Stream::Book { levels: 10 },
        }],
        metrics: vec!["gauge".to_owned()],
        snapshot_version: 1,
    })
    .unwrap();
    let outcome = FrameOutcome { outcome: actions::outcome(), fuel: 3 };
    let fault = CellFault {
        kind: FaultKind::Trap,
        detail: "unreachable".to_owned(),
        backtrace: vec!["on_trade".to_owned()],
        fuel_charged: 9,
        memory: MemoryUse { bytes: 1 << 20, asked_bytes: Some(1 << 30) },
    };
    let replies = [
        CellReply::Described(description),
        CellReply::Ready,
        CellReply::InitRefused(InitRefusal::BadParameter("length".to_owned())),
        CellReply::RestoreRefused(RestoreRefusal::Malformed),
        CellReply::Outcome(outcome),
        CellReply::Snapshot(Snapshot { version: 1, bytes: vec![5; 40] }),
        CellReply::Fault(fault),
    ];
    replies.iter().map(|reply| [CELL_PROTOCOL.greeting().as_slice(), &framed(reply)].concat()).collect()
}

/// What the gateway makes of what a cell sends, whatever it asked for.
pub fn cell_reply(input: &[u8]) -> bool {
    let requests = [
        CellRequest::Describe,
        CellRequest::Frame(&[]),
        CellRequest::Snapshot,
        CellRequest::Restore { version: 1, bytes: &[] },
        CellRequest::Init(Setup {
            parameters: Vec::new(),
            instruments: Vec::new(),
            budget: Amount(0),
            start_time: Timestamp(0),
        }),
    ];
    requests.iter().any(|request| answers(input, request))
}

fn answers(input: &[u8], request: &CellRequest<'_>) -> bool {
    let (ours, _theirs) = pair(input);
    let mut link = CellLink::new(OwnedFd::from(ours));
    let mut taken = false;
    while link.send(request).is_ok()
        && let Ok(Some(reply)) = link.try_receive()
    {
        taken = true;
        same_again(&reply);
        match &reply {
            CellReply::Outcome(outcome) => bounded(&outcome.outcome),
            CellReply::Snapshot(snapshot) => assert!(snapshot.bytes.len() <= SNAPSHOT_BYTES_MAX),
            CellReply::Fault(fault) => {
                assert!(fault.detail.len() <= FAULT_DETAIL_BYTES_MAX);
                assert!(fault.backtrace.len() <= BACKTRACE_FRAMES_MAX);
                fault.backtrace.iter().chain([&fault.detail]).for_each(|text| shown(text));
            }
            CellReply::Described(description) => described(description),
            CellReply::Ready | CellReply::InitRefused(_) | CellReply::RestoreRefused(_) => {}
        }
    }
    taken
}

/// A text that a terminal may be shown.
pub fn shown(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

fn described(description: &Description) {
    let again = Description::try_from(description.parts().clone());
    assert_eq!(again.as_ref(), Ok(description), "it does not keep the bounds that it was checked for");
    assert!(description.parameters.len() <= 64 && description.subscriptions.len() <= 64);
    assert!(description.metrics.len() <= 32 && (1..=32).contains(&description.name.len()));
}

/// The contract's bounds on what one frame may cause.
pub fn bounded(outcome: &Outcome) {
    assert!(outcome.actions.len() <= ACTIONS_PER_FRAME_MAX);
    for action in &outcome.actions {
        match &action.body {
            ActionBody::Log { message, .. } => assert!(message.len() <= LOG_LINE_BYTES_MAX),
            ActionBody::Metric { name, .. } => assert!(name.len() <= METRIC_NAME_BYTES_MAX),
            ActionBody::Place(_)
            | ActionBody::Amend(_)
            | ActionBody::Cancel(_)
            | ActionBody::CancelAll(_)
            | ActionBody::Flatten(_)
            | ActionBody::SetTimer { .. } => {}
        }
    }
}

pub fn cell_requests() -> Vec<Vec<u8>> {
    let setup = Setup {
        parameters: vec![("length".to_owned(), "3".to_owned())],
        instruments: vec![actions::instrument()],
        budget: Amount(1_000),
        start_time: Timestamp(5),
    };
    let bytes = [7; 64];
    let requests = [
        CellRequest::Describe,
        CellRequest::Init(setup),
        CellRequest::Frame(&bytes),
        CellRequest::Snapshot,
        CellRequest::Restore { version: 1, bytes: &bytes },
        CellRequest::Reset,
    ];
    requests.iter().map(framed).collect()
}

/// What a cell makes of what the gateway sends.
pub fn cell_request(input: &[u8]) -> bool {
    let mut link = MessageLink::new(OwnedFd::from(socket(input)), 4 << 20);
    let mut taken = false;
    while let Ok(request) = link.receive::<CellRequest<'_>>() {
        taken = true;
        let bytes = postcard::to_allocvec(&request).unwrap();
        let again: CellRequest<'_> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_allocvec(&again).unwrap(), bytes);
    }
    taken
}

pub fn runner_messages() -> Vec<Vec<u8>> {
    let cell = CellId(7);
    let limits = CellLimits {
        memory_bytes_max: 1 << 20,
        fuel_per_event: 1_000,
        deadline_ms: 20,
        actions_per_event_max: 4,
        log_bytes_max: 100,
    };
    let requests = [
        RunnerRequest::Compile(CompileLimits::NATIVE),
        RunnerRequest::Start { cell, name: "tiny".parse().unwrap(), limits, place: CellPlace::Own },
        RunnerRequest::Start {
            cell,
            name: "tiny".parse().unwrap(),
            limits,
            place: CellPlace::Shared("house".parse().unwrap()),
        },
        RunnerRequest::Kill { cell },
        RunnerRequest::Stop { cell },
    ];
    let messages = [
        RunnerMessage::Compiled { engine: Digest([3; 32]) },
        RunnerMessage::CompileFailed { detail: "no memory".to_owned(), lasting: true },
        RunnerMessage::Started { cell, pid: 9 },
        RunnerMessage::StartFailed { cell, detail: "no process".to_owned() },
        RunnerMessage::Stopped { cell },
        RunnerMessage::Exited(CellExit { cell, status: ExitStatus::Signal(9) }),
    ];
    requests.iter().map(framed).chain(messages.iter().map(framed)).collect()
}

/// Both directions between the gateway and the runner.
pub fn runner(input: &[u8]) -> bool {
    let requests = received::<RunnerRequest>(input, |request| {
        if let RunnerRequest::Start { limits, .. } = request {
            assert!(limits.checked().is_ok(), "limits out of range");
        }
    });
    let messages = received::<RunnerMessage>(input, |message| {
        if let RunnerMessage::CompileFailed { detail, .. } | RunnerMessage::StartFailed { detail, .. } =
            message
        {
            assert!(detail.len() <= 1_024);
            shown(detail);
        }
    });
    requests || messages
}

/// Takes all messages from a socket, and says whether there was one.
fn received<T: Serialize + DeserializeOwned>(input: &[u8], check: impl Fn(&T)) -> bool {
    let mut socket = MessageSocket::new(socket(input), RUNNER_MESSAGE_BYTES_MAX);
    socket.set_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut taken = false;
    while let Ok((message, descriptors)) = socket.receive::<T>() {
        taken = true;
        assert!(descriptors.is_empty());
        check(&message);
        same_again(&message);
    }
    taken
}

pub fn control_requests() -> Vec<Vec<u8>> {
    let scope = || Some(ScopeName::Strategy("tiny".to_owned()));
    let requests = [
        ControlRequest::Status {},
        ControlRequest::Halt { reason: "drill".to_owned(), scope: None, actor: None },
        ControlRequest::Flatten { reason: "drill".to_owned(), scope: scope(), actor: None },
        ControlRequest::Rearm {
            reason: "done".to_owned(),
            scope: None,
            new_baseline: true,
            code: Some("1234".to_owned()),
            actor: None,
        },
        ControlRequest::Reconcile { actor: None },
    ];
    requests.iter().map(|request| serde_json::to_vec(request).unwrap()).collect()
}

/// A line of the control socket.
pub fn control(input: &[u8]) -> bool {
    if input.len() > CONTROL_LINE_BYTES_MAX {
        return false;
    }
    let Ok(request) = serde_json::from_slice::<ControlRequest>(input) else { return false };
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<ControlRequest>(&text).unwrap(), request);
    true
}
