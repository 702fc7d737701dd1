//! The control socket: questions, answers, and lines that are neither.
#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use portcullis_role::{
    AccessKind, CONTROL_LINE_BYTES_MAX, ControlError, ControlReply, ControlRequest, ControlServer,
    DeployRequest, DeploymentLine, DeploymentState, GaugeLine, LimitsReport, OverrideRequest, ScopeName,
    SetLimitsRequest, StatusReport, call, listen,
};

const PATIENCE: Duration = Duration::from_secs(10);

struct Fixture {
    _directory: tempfile::TempDir,
    path: PathBuf,
    _server: ControlServer,
}

fn serve(handler: impl Fn(ControlRequest) -> ControlReply + Send + Sync + 'static) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.sock");
    let server = ControlServer::start(&path, handler).unwrap();
    Fixture { _directory: directory, path, _server: server }
}

fn echo(request: ControlRequest) -> ControlReply {
    ControlReply::Done { detail: format!("{request:?}") }
}

/// Sends raw bytes as one line and returns the line that comes back.
fn raw(path: &PathBuf, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(line).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

#[test]
fn a_question_is_answered_with_its_own_reply() {
    let report = StatusReport {
        environment: "paper".to_owned(),
        day_pnl: "-12.50".to_owned(),
        net_pnl: "40.25".to_owned(),
        ..StatusReport::default()
    };
    let status = ControlReply::Status(Box::new(report));
    let answer = status.clone();
    let fixture = serve(move |_| answer.clone());
    assert_eq!(call::<ControlReply>(&fixture.path, &ControlRequest::Status {}, PATIENCE).unwrap(), status);
}

#[test]
fn the_socket_is_for_its_owner_alone() {
    let fixture = serve(echo);
    let mode = std::fs::metadata(&fixture.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_line_that_is_no_request_is_refused_with_a_code() {
    let fixture = serve(echo);
    for line in [
        &b"\n"[..],
        b"{}\n",
        b"not json\n",
        b"\xff\xfe\n",
        b"{\"request\":\"status\",\"stray\":1}\n",
        b"{\"request\":\"halt\"}\n",
        b"{\"request\":\"halt\",\"reason\":\"x\",\"force\":true}\n",
        b"{\"request\":\"unknown\"}\n",
    ] {
        let answer = raw(&fixture.path, line);
        assert!(answer.contains("\"BAD_REQUEST\""), "{answer}");
    }
    assert!(raw(&fixture.path, b"{\"request\":\"halt\",\"reason\":\"drill\"}\n").contains("drill"));
}

/// A message reads back as itself, and is written as the page and the console expect it.
fn assert_written<T>(message: &T, written: &str)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(serde_json::to_string(message).unwrap(), written);
    assert_eq!(&serde_json::from_str::<T>(written).unwrap(), message);
}

#[test]
fn a_deployment_is_asked_for_and_followed() {
    let deploy = DeployRequest {
        bundle: "grid-1.0.0.strategy".parse().unwrap(),
        name: Some("grid-eth".to_owned()),
        budget: "2500".to_owned(),
        parameters: [("levels".to_owned(), "5".to_owned())].into(),
        cell: None,
        actor: Some("console:ada".parse().unwrap()),
    };
    assert_written(
        &ControlRequest::Deploy(deploy),
        r#"{"request":"deploy","bundle":"grid-1.0.0.strategy","name":"grid-eth","budget":"2500","parameters":{"levels":"5"},"actor":"console:ada"}"#,
    );
    let short = r#"{"request":"deploy","bundle":"a","budget":"1"}"#;
    let ControlRequest::Deploy(deploy) = serde_json::from_str(short).unwrap() else {
        panic!("another request")
    };
    assert_eq!((deploy.name, deploy.actor, deploy.parameters.len()), (None, None, 0));
    assert_written(&ControlRequest::Deployment { id: 3 }, r#"{"request":"deployment","id":3}"#);
    assert_written(
        &ControlReply::Accepted {
            deployment: 3,
            strategy: "grid-eth".to_owned(),
            bundle: "grid-1.0.0".to_owned(),
            digest: "ab".to_owned(),
        },
        r#"{"reply":"accepted","deployment":3,"strategy":"grid-eth","bundle":"grid-1.0.0","digest":"ab"}"#,
    );
    let line = DeploymentLine {
        id: 3,
        strategy: "grid-eth".to_owned(),
        bundle: "grid-1.0.0".to_owned(),
        digest: "ab".to_owned(),
        state: DeploymentState::Compiling,
        code: None,
        detail: None,
    };
    assert_written(
        &ControlReply::Deployment(line.clone()),
        r#"{"reply":"deployment","id":3,"strategy":"grid-eth","bundle":"grid-1.0.0","digest":"ab","state":"compiling"}"#,
    );
    let (code, detail) = (Some("SYMBOL_OWNED".to_owned()), Some("taken".to_owned()));
    assert_written(
        &ControlReply::Deployment(DeploymentLine { state: DeploymentState::Failed, code, detail, ..line }),
        r#"{"reply":"deployment","id":3,"strategy":"grid-eth","bundle":"grid-1.0.0","digest":"ab","state":"failed","code":"SYMBOL_OWNED","detail":"taken"}"#,
    );
}

#[test]
fn limits_are_shown_and_changed() {
    assert_written(&ControlRequest::Limits {}, r#"{"request":"limits"}"#);
    let set = |code: Option<&str>| {
        ControlRequest::SetLimits(SetLimitsRequest {
            toml: "[account]\n".to_owned(),
            reason: "quiet week".to_owned(),
            code: code.map(str::to_owned),
            actor: None,
        })
    };
    assert_written(&set(None), r#"{"request":"set-limits","toml":"[account]\n","reason":"quiet week"}"#);
    assert_written(
        &set(Some("0a1b2c")),
        r#"{"request":"set-limits","toml":"[account]\n","reason":"quiet week","code":"0a1b2c"}"#,
    );
    assert_written(
        &ControlRequest::Override(OverrideRequest {
            strategy: "ema".to_owned(),
            check: "order-notional".to_owned(),
            limit: "6000".to_owned(),
            seconds: 300,
            reason: "hedge".to_owned(),
            code: None,
            actor: Some("console:ada".parse().unwrap()),
        }),
        r#"{"request":"override","strategy":"ema","check":"order-notional","limit":"6000","seconds":300,"reason":"hedge","actor":"console:ada"}"#,
    );
    let measured = GaugeLine {
        key: "account.daily_loss_max".to_owned(),
        scope: "account".to_owned(),
        seen: Some("12.5".to_owned()),
        limit: "500".to_owned(),
        left: Some("487.5".to_owned()),
        used_percent: Some(2),
        why: None,
    };
    let report = LimitsReport {
        hash: "ab".to_owned(),
        toml: None,
        gauges: vec![measured],
        omitted: 0,
        overrides: Vec::new(),
    };
    assert_written(
        &ControlReply::Limits(Box::new(report)),
        r#"{"reply":"limits","hash":"ab","gauges":[{"key":"account.daily_loss_max","scope":"account","seen":"12.5","limit":"500","left":"487.5","used_percent":2}],"omitted":0,"overrides":[]}"#,
    );
    for line in [
        r#"{"request":"limits","stray":1}"#,
        r#"{"request":"set-limits","toml":""}"#,
        r#"{"request":"set-limits","toml":"","reason":"x","force":true}"#,
        r#"{"request":"override","strategy":"s","check":"c","limit":6000,"seconds":1,"reason":"x"}"#,
        r#"{"request":"override","strategy":"s","check":"c","limit":"1","seconds":-1,"reason":"x"}"#,
    ] {
        assert!(serde_json::from_str::<ControlRequest>(line).is_err(), "{line}");
    }
}

#[test]
fn who_asks_and_who_came_in_is_said() {
    let halt = |actor: Option<&str>| ControlRequest::Halt {
        reason: "drill".to_owned(),
        scope: None,
        actor: actor.map(|actor| actor.parse().unwrap()),
    };
    assert_written(
        &halt(Some("console:ada")),
        r#"{"request":"halt","reason":"drill","actor":"console:ada"}"#,
    );
    assert_written(&halt(None), r#"{"request":"halt","reason":"drill"}"#);
    assert_written(
        &ControlRequest::Flatten {
            reason: "drill".to_owned(),
            scope: Some(ScopeName::Instrument("linear:BTCUSDT".to_owned())),
            actor: None,
        },
        r#"{"request":"flatten","reason":"drill","scope":{"instrument":"linear:BTCUSDT"}}"#,
    );
    assert_written(
        &ControlRequest::Rearm {
            reason: "drill".to_owned(),
            scope: Some(ScopeName::Strategy("maker".to_owned())),
            new_baseline: true,
            code: None,
            actor: None,
        },
        r#"{"request":"rearm","reason":"drill","scope":{"strategy":"maker"},"new_baseline":true}"#,
    );
    assert_written(
        &ControlRequest::Access {
            kind: AccessKind::TokenCreated,
            user: "ada".parse().unwrap(),
            address: "127.0.0.1".parse().unwrap(),
        },
        r#"{"request":"access","kind":"token-created","user":"ada","address":"127.0.0.1"}"#,
    );
    assert_written(&ControlRequest::FailedAccess { count: 7 }, r#"{"request":"failed-access","count":7}"#);
}

#[test]
fn words_are_short_and_plain() {
    let deploy = |bundle: &str| format!(r#"{{"request":"deploy","bundle":{bundle:?},"budget":"1"}}"#);
    let halt = |actor: &str| format!(r#"{{"request":"halt","reason":"x","actor":{actor:?}}}"#);
    let long = "x".repeat(129);
    let refused = [
        deploy(""),
        deploy("../root.json"),
        deploy("a/b"),
        deploy(".hidden"),
        deploy(".."),
        deploy("a b"),
        deploy(&long),
        halt(""),
        halt("ada\nroot"),
        halt("ad\u{e4}"),
        halt(&long),
        r#"{"request":"deploy","bundle":"a","budget":"1","force":true}"#.to_owned(),
        r#"{"request":"access","kind":"break-in","user":"ada","address":"::1"}"#.to_owned(),
        r#"{"request":"access","kind":"login","user":"","address":"::1"}"#.to_owned(),
        r#"{"request":"failed-access","count":-1}"#.to_owned(),
    ];
    for line in refused {
        assert!(serde_json::from_str::<ControlRequest>(&line).is_err(), "{line}");
    }
    assert!(serde_json::from_str::<ControlRequest>(&deploy("A_b-1.2.strategy")).is_ok());
}

#[test]
fn an_endless_line_ends_the_connection() {
    let fixture = serve(echo);
    assert_eq!(raw(&fixture.path, &vec![b'x'; CONTROL_LINE_BYTES_MAX]), "");
}

#[test]
fn an_answer_that_does_not_fit_says_so() {
    let fixture = serve(|_| ControlReply::Done { detail: "x".repeat(CONTROL_LINE_BYTES_MAX) });
    let answer = call(&fixture.path, &ControlRequest::Orders {}, PATIENCE).unwrap();
    assert!(matches!(answer, ControlReply::Error { code, .. } if code == "REPLY_TOO_LONG"));
}

#[test]
fn idle_connections_cannot_take_every_place_for_ever() {
    let fixture = serve(echo);
    let held: Vec<_> = (0..8).map(|_| UnixStream::connect(&fixture.path).unwrap()).collect();
    // Every place is taken, so the next connection is closed unanswered; with the others gone there is room again.
    assert!(call::<ControlReply>(&fixture.path, &ControlRequest::Status {}, PATIENCE).is_err());
    drop(held);
    let answered = (0..1000).any(|_| {
        let answer = call::<ControlReply>(&fixture.path, &ControlRequest::Status {}, PATIENCE);
        std::thread::yield_now();
        answer.is_ok()
    });
    assert!(answered);
}

#[test]
fn a_server_that_ended_leaves_nothing_behind() {
    let fixture = serve(echo);
    let path = fixture.path.clone();
    drop(fixture._server);
    assert!(!path.exists());
    let nobody = call::<ControlReply>(&path, &ControlRequest::Status {}, PATIENCE);
    assert!(matches!(nobody, Err(ControlError::Io(_))));
}

#[test]
fn a_dead_socket_file_is_replaced_and_a_live_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.sock");
    let first = listen(&path).unwrap();
    assert_eq!(listen(&path).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
    assert!(path.exists(), "a listener leaves its file");
    listen(&path).unwrap();
}
