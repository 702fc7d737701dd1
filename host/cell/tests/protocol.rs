//! What the gateway takes from a cell or a runner that somebody else controls: typed and bounded, or an error.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use portcullis_cell::{
    CELL_PROTOCOL, CellFault, CellId, CellLimits, CellLink, CellReply, CellRequest, Description,
    DescriptionParts, FaultKind, FrameOutcome, LinkError, MemoryUse, Parameter, ParameterKind,
    RUNNER_MESSAGE_BYTES_MAX, RunnerMessage, Snapshot, Stream, Subscription,
};
use portcullis_core::{Action, ActionBody, LogLevel, OrderNumber, Outcome};
use portcullis_role::{MessageError, MessageSocket, Protocol};
use proptest::prelude::*;

/// What the gateway makes of a reply with this body to a request for a frame.
fn receive(body: &[u8]) -> Result<Option<CellReply>, LinkError> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut link = CellLink::new(OwnedFd::from(ours));
    link.send(&CellRequest::Frame(&[])).unwrap();
    // From a thread, because a reply may be longer than the socket holds.
    let body = body.to_vec();
    let cell = std::thread::spawn(move || {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        // The link may have been given up already.
        let _refused = [&CELL_PROTOCOL.greeting()[..], &length, &body]
            .iter()
            .try_for_each(|part| theirs.write_all(part));
        theirs
    });
    let answer = loop {
        match link.try_receive() {
            Ok(None) if !cell.is_finished() => std::thread::yield_now(),
            // All has been written, so what is still missing is in the socket.
            Ok(None) => match link.try_receive() {
                Ok(None) => {}
                other => break other,
            },
            other => break other,
        }
    };
    drop(link);
    cell.join().unwrap();
    answer
}

fn received(reply: &CellReply) -> Result<Option<CellReply>, LinkError> {
    receive(&postcard::to_allocvec(reply).unwrap())
}

fn outcome(actions: Vec<ActionBody>) -> CellReply {
    let actions = actions.into_iter().map(|body| Action { cause: 0, body }).collect();
    CellReply::Outcome(FrameOutcome { outcome: Outcome { consumed: 1, actions }, fuel: 3 })
}

fn refused(reply: &CellReply) -> bool {
    matches!(received(reply), Err(LinkError::Message(MessageError::Malformed(_))))
}

#[test]
fn a_full_outcome_arrives_and_a_longer_one_does_not() {
    let full = outcome(vec![ActionBody::Cancel(OrderNumber(1)); 4_096]);
    assert_eq!(received(&full).unwrap(), Some(full));
    assert!(refused(&outcome(vec![ActionBody::Cancel(OrderNumber(1)); 4_097])));
}

#[test]
fn long_texts_are_not_taken() {
    let log = |bytes| outcome(vec![ActionBody::Log { level: LogLevel::Info, message: "x".repeat(bytes) }]);
    assert!(!refused(&log(1_024)));
    assert!(refused(&log(1_025)));
    let metric = |bytes| outcome(vec![ActionBody::Metric { name: "x".repeat(bytes), value: 1.0 }]);
    assert!(!refused(&metric(48)));
    assert!(refused(&metric(49)));
    let fault = |detail, backtrace| {
        let memory = MemoryUse::default();
        CellReply::Fault(CellFault { kind: FaultKind::Trap, detail, backtrace, fuel_charged: 0, memory })
    };
    assert!(!refused(&fault("x".repeat(512), vec!["x".repeat(192); 32])));
    assert!(refused(&fault("x".repeat(513), Vec::new())));
    assert!(refused(&fault(String::new(), vec!["x".repeat(193)])));
    assert!(refused(&fault(String::new(), vec![String::new(); 33])));
    // Nor what would move the cursor of whoever reads it.
    assert!(refused(&fault("\u{1b}[2J".to_owned(), Vec::new())));
    assert!(refused(&fault(String::new(), vec!["a\nb".to_owned()])));
}

#[test]
fn a_text_that_is_no_line_is_not_taken() {
    let fault = |detail: &str| {
        let (detail, memory) = (detail.to_owned(), MemoryUse::default());
        CellReply::Fault(CellFault {
            kind: FaultKind::Trap,
            detail,
            backtrace: vec![],
            fuel_charged: 0,
            memory,
        })
    };
    assert!(!refused(&fault("wasm trap: ünreachable")));
    let failed = |detail: &str| {
        let bytes =
            postcard::to_allocvec(&RunnerMessage::CompileFailed { detail: detail.to_owned(), lasting: true })
                .unwrap();
        postcard::from_bytes::<RunnerMessage>(&bytes)
    };
    assert!(failed("plain").is_ok());
    for text in ["two\nlines", "\u{1b}[2Jclear", "\u{9b}31m", "nul\0", "bell\u{7}", "\r"] {
        assert!(refused(&fault(text)), "{text:?}");
        assert!(failed(text).is_err(), "{text:?}");
    }
    let started = |detail: String| {
        let message = RunnerMessage::StartFailed { cell: CellId(1), detail };
        postcard::from_bytes::<RunnerMessage>(&postcard::to_allocvec(&message).unwrap())
    };
    assert!(started("x".repeat(1_024)).is_ok());
    assert!(started("x".repeat(1_025)).is_err());
    assert!(started("a\tb".to_owned()).is_err());
}

#[test]
fn a_cell_of_another_release_is_refused_with_the_side_to_upgrade() {
    for (theirs, older) in
        [(CELL_PROTOCOL.version.wrapping_add(1), "gateway"), (CELL_PROTOCOL.version.wrapping_sub(1), "cell")]
    {
        let (ours, mut cell) = UnixStream::pair().unwrap();
        let mut link = CellLink::new(OwnedFd::from(ours));
        cell.write_all(&Protocol { version: theirs, ..CELL_PROTOCOL }.greeting()).unwrap();
        link.send(&CellRequest::Describe).unwrap();
        let error = link.try_receive().unwrap_err();
        assert!(matches!(&error, LinkError::Message(MessageError::Greeting(_))), "{error}");
        assert!(error.to_string().ends_with(&format!("upgrade the {older}")), "{error}");
    }
}

#[test]
fn a_long_snapshot_is_not_taken() {
    let snapshot = |bytes| postcard::to_allocvec(&Snapshot { version: 1, bytes: vec![0; bytes] }).unwrap();
    assert!(postcard::from_bytes::<Snapshot>(&snapshot(256 * 1_024)).is_ok());
    assert!(postcard::from_bytes::<Snapshot>(&snapshot(256 * 1_024 + 1)).is_err());
}

#[test]
fn an_announced_length_takes_no_memory() {
    // An outcome of one event that claims 2^32 actions, and one of a list as long as allowed; both end there.
    for count in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0x80, 0x20]] {
        let body = [&[4, 1][..], count].concat();
        assert!(matches!(receive(&body), Err(LinkError::Message(MessageError::Malformed(_)))));
    }
}

fn parts() -> DescriptionParts {
    let size = Parameter {
        name: "size".to_owned(),
        doc: "Quantity of an order, in the base coin.".to_owned(),
        kind: ParameterKind::Decimal { min: "0".to_owned(), max: "10".to_owned() },
        default: Some("0.01".to_owned()),
    };
    DescriptionParts {
        name: "ema-cross".to_owned(),
        version: "1.0.0".to_owned(),
        parameters: vec![size],
        subscriptions: vec![Subscription { symbol: None, stream: Stream::Trades }],
        metrics: vec!["ema_fast".to_owned()],
        snapshot_version: 1,
    }
}

#[test]
fn a_description_keeps_the_contract_or_does_not_exist() {
    let good = Description::try_from(parts()).unwrap();
    let bytes = postcard::to_allocvec(&good).unwrap();
    assert_eq!(postcard::from_bytes::<Description>(&bytes).unwrap(), good);

    let bars =
        |interval_s, warm_up| Subscription { symbol: None, stream: Stream::Bars { interval_s, warm_up } };
    let book =
        |levels| Subscription { symbol: Some("linear:BTCUSDT".to_owned()), stream: Stream::Book { levels } };
    let breaches: [fn(&mut DescriptionParts); 12] = [
        |parts| parts.name = String::new(),
        |parts| parts.name = "Ema".to_owned(),
        |parts| parts.name = "x".repeat(33),
        |parts| parts.version = "1.0.0-ä".to_owned(),
        |parts| parts.parameters = vec![parts.parameters[0].clone(); 2],
        |parts| parts.parameters[0].doc = "x".repeat(257),
        |parts| parts.parameters[0].kind = ParameterKind::Integer { min: 2, max: 1 },
        |parts| parts.parameters[0].kind = ParameterKind::Choice(Vec::new()),
        |parts| parts.metrics = vec!["Fast".to_owned()],
        |parts| parts.metrics = vec!["fast".to_owned(), "fast".to_owned()],
        |parts| parts.metrics = (0..33).map(|number| format!("m{number}")).collect(),
        |parts| parts.subscriptions = vec![parts.subscriptions[0].clone(); 65],
    ];
    for breach in breaches {
        let mut bad = parts();
        breach(&mut bad);
        let bytes = postcard::to_allocvec(&bad).unwrap();
        assert!(postcard::from_bytes::<Description>(&bytes).is_err(), "{bad:?}");
        assert!(Description::try_from(bad).is_err());
    }
    for subscription in [bars(61, 0), bars(60, 1_001), book(0), book(51)] {
        let bad = DescriptionParts { subscriptions: vec![subscription], ..parts() };
        assert!(Description::try_from(bad).is_err());
    }
    for subscription in [bars(60, 1_000), book(1), book(50)] {
        let fine = DescriptionParts { subscriptions: vec![subscription], ..parts() };
        assert!(Description::try_from(fine).is_ok());
    }
}

#[test]
fn limits_out_of_range_are_not_taken() {
    let good = CellLimits {
        memory_bytes_max: 64 << 20,
        fuel_per_event: 1,
        deadline_ms: 1_000,
        actions_per_event_max: 32,
        log_bytes_max: 0,
    };
    let decode =
        |limits: &CellLimits| postcard::from_bytes::<CellLimits>(&postcard::to_allocvec(limits).unwrap());
    assert_eq!(decode(&good).unwrap(), good);
    for bad in [
        CellLimits { memory_bytes_max: (64 << 20) + 1, ..good },
        CellLimits { memory_bytes_max: 0, ..good },
        CellLimits { fuel_per_event: 0, ..good },
        CellLimits { deadline_ms: 0, ..good },
        CellLimits { deadline_ms: 1_001, ..good },
        CellLimits { actions_per_event_max: 0, ..good },
        CellLimits { log_bytes_max: 65_537, ..good },
    ] {
        assert!(decode(&bad).is_err(), "{bad:?}");
        assert!(bad.checked().is_err());
    }
}

proptest! {
    #[test]
    fn no_bytes_of_a_cell_do_more_than_fail(body in prop::collection::vec(any::<u8>(), 0..600)) {
        let _either = receive(&body);
    }

    #[test]
    fn a_damaged_outcome_does_no_more_than_fail(
        index in 0_usize..200, flip in 1_u8..,
        actions in prop::collection::vec((any::<u64>(), any::<bool>()), 0..20),
    ) {
        let actions = actions.into_iter().map(|(number, log)| {
            if log {
                ActionBody::Log { level: LogLevel::Info, message: number.to_string() }
            } else {
                ActionBody::Cancel(OrderNumber(number))
            }
        });
        let mut body = postcard::to_allocvec(&outcome(actions.collect())).unwrap();
        let index = index % body.len();
        body[index] ^= flip;
        let _either = receive(&body);
    }

    #[test]
    fn no_bytes_of_a_runner_do_more_than_fail(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(&bytes).unwrap();
        drop(theirs);
        let mut socket = MessageSocket::new(ours, RUNNER_MESSAGE_BYTES_MAX);
        // Ends, because every turn takes a message off or fails.
        while socket.receive::<RunnerMessage>().is_ok() {}
    }
}
