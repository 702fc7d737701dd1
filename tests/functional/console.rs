//! The console as a process: its users and tokens, its start and end, what it says without a gateway.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");
const PASSWORD: &str = "correct horse battery";

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("--json").arg("--dir").arg(dir).arg("console").args(arguments);
    command
}

/// Exit code and the last line on stdout.
fn run(dir: &Path, arguments: &[&str], stdin: &str) -> (i32, Value) {
    let mut child = command(dir, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    last_line(&child.wait_with_output().unwrap())
}

fn last_line(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let value = text.lines().last().map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
    (output.status.code().unwrap(), value)
}

/// A running console; killed when dropped.
struct Console {
    child: Child,
    address: String,
}

impl Console {
    fn start(dir: &Path) -> Self {
        let mut child = command(dir, &["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&ready["type"], &ready["role"]), (&"ready".into(), &"console".into()));
        let address = ready["console"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { child, address }
    }

    /// Status and body of an answer.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    fn login(&self, password: &str) -> (u16, Value) {
        let body = format!(r#"{{"user":"ann","password":"{password}"}}"#);
        self.ask("POST", "/api/login", "Content-Type: application/json\r\n", &body)
    }

    fn status(&self, token: &str) -> (u16, Value) {
        self.ask("GET", "/api/status", &format!("Authorization: Bearer {token}\r\n"), "")
    }

    /// Asks it to end; its exit code and what it logged.
    fn end(mut self) -> (i32, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code().unwrap(), log)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap_or_else(|| panic!("no code: {answer}"))
}

#[test]
fn users_and_tokens_are_made_by_command_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let console = Console::start(dir);
    assert_eq!(console.login(PASSWORD).0, 401);

    assert_eq!(code(&run(dir, &["users", "add", "ann"], "short\n").1), "UNFIT_PASSWORD");
    let (exit, added) = run(dir, &["users", "add", "ann"], &format!("{PASSWORD}\n"));
    assert_eq!((exit, &added["ok"]), (0, &Value::Bool(true)));
    let (exit, again) = run(dir, &["users", "add", "ann"], "another long password\n");
    assert_eq!((exit, code(&again)), (1, "ACCOUNT_EXISTS"));
    assert_eq!(run(dir, &["users", "add", "no/name"], "").0, 2);
    assert_eq!(console.login(PASSWORD).0, 200);

    let (exit, token) = run(dir, &["tokens", "add", "ci", "--right", "read", "--days", "7"], "");
    assert_eq!((exit, &token["right"]), (0, &"read".into()));
    let secret = token["token"].as_str().unwrap();
    assert!(secret.starts_with("pct_"), "{secret}");
    let (status, answer) = console.status(secret);
    assert_eq!((status, code(&answer)), (503, "GATEWAY_AWAY"));
    let (status, answer) =
        console.ask("POST", "/api/halt", &format!("Authorization: Bearer {secret}\r\n"), "");
    assert_eq!((status, code(&answer)), (403, "FORBIDDEN"));
    let (_, tokens) = run(dir, &["tokens", "list"], "");
    assert_eq!(tokens["tokens"][0]["name"], "ci");
    assert!(!tokens.to_string().contains(secret));
    assert_eq!(run(dir, &["tokens", "revoke", "ci"], "").0, 0);
    assert_eq!(console.status(secret).0, 401);
    assert_eq!(code(&run(dir, &["tokens", "revoke", "ci"], "").1), "UNKNOWN_ACCOUNT");

    let (exit, log) = console.end();
    assert_eq!(exit, 0, "{log}");
    assert!(log.contains("/api/status"), "there is an access log: {log}");
    for secret in [PASSWORD, secret] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_lock_outlives_a_kill_until_it_is_lifted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(run(dir, &["users", "add", "ann"], &format!("{PASSWORD}\n")).0, 0);
    let console = Console::start(dir);
    for _ in 0..5 {
        assert_eq!(console.login("wrong").0, 401);
    }
    assert_eq!(console.login(PASSWORD).0, 429);
    drop(console);
    let console = Console::start(dir);
    let (status, answer) = console.login(PASSWORD);
    assert_eq!((status, code(&answer)), (429, "LOCKED_OUT"));
    let (_, unlocked) = run(dir, &["users", "unlock", "ann"], "");
    assert_eq!(unlocked["detail"], "ann may try again");
    assert_eq!(console.login(PASSWORD).0, 429, "the address has its own lock");
}

#[test]
fn it_listens_for_this_machine_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(run(dir, &["--listen", "0.0.0.0:0"], "").0, 2);
    let socket = dir.join("console.sock");
    let unix = format!("unix:{}", socket.display());
    let (exit, nameless) = run(dir, &["--listen", &unix], "");
    assert_eq!((exit, code(&nameless)), (2, "USAGE"));
    assert!(nameless["detail"].as_str().unwrap().contains("--origin"), "{nameless}");
    assert_eq!(run(dir, &["--listen", &unix, "--origin", "trade.example.org"], "").0, 2);

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (exit, answer) = run(dir, &["--listen", &address], "");
    assert_eq!(exit, 3, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains(&address), "{answer}");

    let mut child = command(dir, &["--listen", &unix, "--origin", "https://trade.example.org"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(mode, 0o660, "for this user and the proxy's group");
}
