//! A running demo, for suites of whole processes.

#![allow(dead_code, reason = "each suite uses a part of it")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// Long enough for a first build of the strategies on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// A running demo, killed when dropped.
pub(crate) struct Demo {
    pub(crate) child: Child,
    lines: Receiver<Value>,
    pub(crate) dir: PathBuf,
    pub(crate) ready: Value,
}

impl Demo {
    pub(crate) fn start(dir: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["demo", "--json", "--port", "0", "--dir"])
            .arg(dir)
            .args(options)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                if send.send(value).is_err() {
                    return;
                }
            }
        });
        let mut demo = Self { child, lines, dir: dir.to_owned(), ready: Value::Null };
        demo.ready = demo.line("ready");
        demo
    }

    /// The next line of this type.
    pub(crate) fn line(&self, kind: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line["type"] == kind => return line,
                Ok(line) if line["ok"] == false => panic!("the demo failed: {line}"),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no {kind} line within {PATIENCE:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the demo ended without a {kind} line"),
            }
        }
    }

    /// What a command of the operator answers.
    pub(crate) fn ask(&self, command: &[&str]) -> Value {
        json(&portcullis(&self.dir, command))
    }

    /// Asks until the answer satisfies; the system works on its own time.
    pub(crate) fn wait_for(&self, what: &str, command: &[&str], holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let answer = self.ask(command);
            if holds(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{what} did not come about: {answer}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Interrupts the demo and returns its summary and exit code.
    pub(crate) fn end(mut self) -> (Value, i32) {
        kill(self.child.id(), "TERM");
        let summary = self.line("summary");
        (summary, self.child.wait().unwrap().code().unwrap())
    }

    pub(crate) fn pid(&self, role: &str) -> u32 {
        u32::try_from(self.ready["pids"][role].as_u64().unwrap()).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One command of the operator.
pub(crate) fn portcullis(dir: &Path, command: &[&str]) -> Output {
    Command::new(BINARY).arg("--json").arg("--dir").arg(dir).args(command).output().unwrap()
}

/// The last line that was printed.
pub(crate) fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no output; stderr: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(last).unwrap()
}

pub(crate) fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap().success());
}
