//! The control socket: questions, answers, and lines that are neither.
#![allow(missing_docs, clippy::unwrap_used, reason = "test code")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use portcullis_role::{
    CONTROL_LINE_BYTES_MAX, ControlError, ControlReply, ControlRequest, ControlServer, StatusReport, call,
    listen,
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
    assert_eq!(call(&fixture.path, &ControlRequest::Status {}, PATIENCE).unwrap(), status);
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
    assert!(call(&fixture.path, &ControlRequest::Status {}, PATIENCE).is_err());
    drop(held);
    let answered = (0..1000).any(|_| {
        let answer = call(&fixture.path, &ControlRequest::Status {}, PATIENCE);
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
    assert!(matches!(call(&path, &ControlRequest::Status {}, PATIENCE), Err(ControlError::Io(_))));
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
