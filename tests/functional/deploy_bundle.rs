//! Bundles deployed into a running gateway: real processes on a free port of the loopback, driven as an operator would.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

#[path = "../support/faulty.rs"]
mod faulty_strategy;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_role::{AccessKind, ControlReply, ControlRequest, call};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// Long enough for a first build of the strategies on a busy machine.
const BUILD_PATIENCE: Duration = Duration::from_secs(900);

const PATIENCE: Duration = Duration::from_secs(90);

type Tested = Result<(), Failed>;

fn main() {
    let tests = vec![
        Trial::test("a_deployed_strategy_trades_and_comes_back_until_it_is_stopped", trades_and_comes_back),
        Trial::test("a_gateway_without_strategies_takes_its_first", first_strategy),
        Trial::test("what_must_not_run_is_refused_and_leaves_nothing_behind", refusals),
        Trial::test("trading_goes_on_while_a_bundle_is_compiled", compiling),
        Trial::test("trusted_strategies_share_a_process", shared),
        Trial::test("logins_and_operators_stand_in_the_journal", journaled),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// Signed bundles of the reference strategies, made once.
struct Bundles {
    _scratch: tempfile::TempDir,
    folder: PathBuf,
}

impl Bundles {
    fn get() -> &'static Self {
        static BUNDLES: OnceLock<Bundles> = OnceLock::new();
        BUNDLES.get_or_init(|| {
            let scratch = tempfile::tempdir().unwrap();
            let folder = scratch.path().to_owned();
            let bundles = Self { _scratch: scratch, folder };
            for key in ["author", "stranger"] {
                done(&tool(&bundles.folder, &["keys", "generate", key, "--out", "."]));
            }
            for name in ["ema-cross", "market-maker"] {
                let wasm = format!("{name}.wasm");
                let source = plugin(name).display().to_string();
                done(&tool(&bundles.folder, &["strategy", "build", &source, "--out", &wasm]));
                bundles.sign(name, &plugin(name).join("strategy.toml"), "author", name);
            }
            // Where the market maker trades, because the exchange has two markets only.
            fs::write(bundles.folder.join("faulty.wasm"), faulty_strategy::component()).unwrap();
            let manifest = bundles.folder.join("faulty.toml");
            fs::write(&manifest, faulty_strategy::MANIFEST.replace("BTCUSDT", "ETHUSDT")).unwrap();
            bundles.sign("faulty", &manifest, "author", "faulty");
            bundles
        })
    }

    fn sign(&self, component: &str, manifest: &Path, key: &str, out: &str) {
        let (wasm, key, out) = (format!("{component}.wasm"), format!("{key}.key"), format!("{out}.strategy"));
        let manifest = manifest.display().to_string();
        let arguments = ["strategy", "sign", &wasm, "--manifest", &manifest, "--key", &key, "--out", &out];
        done(&tool(&self.folder, &arguments));
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(format!("{name}.strategy")).display().to_string()
    }
}

fn plugin(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(name).canonicalize().unwrap()
}

/// A command that needs no gateway.
fn tool(here: &Path, arguments: &[&str]) -> Output {
    Command::new(BINARY).arg("--json").args(arguments).current_dir(here).output().unwrap()
}

fn done(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    json(output)
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no output; stderr: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(last).unwrap()
}

/// A child process and the JSON lines it prints; killed when dropped.
struct Process {
    child: Child,
    lines: Receiver<Value>,
}

impl Process {
    fn start(dir: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["--json", "--dir"])
            .arg(dir)
            .args(arguments)
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
        Self { child, lines }
    }

    fn line(&self, kind: &str) -> Value {
        let deadline = Instant::now() + BUILD_PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line["type"] == kind => return line,
                Ok(line) if line["ok"] == false => panic!("it failed: {line}"),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no {kind} line"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without a {kind} line"),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exchange, runner and gateway.
struct Host {
    scratch: tempfile::TempDir,
    ready: Value,
    daemon: Process,
    _paper: Process,
}

impl Host {
    /// A host that trusts the author; with ema-cross on BTCUSDT in its configuration, or nothing.
    fn start(configured: bool) -> Self {
        let bundles = Bundles::get();
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path();
        fs::create_dir_all(dir.join("keys")).unwrap();
        let public = bundles.folder.join("author.pub").display().to_string();
        let root = dir.display().to_string();
        done(&tool(dir, &["--dir", &root, "keys", "trust", &public, "--owner", "ada", "--env", "paper"]));
        fs::write(dir.join("limits.toml"), portcullis_core::DEMO_LIMITS).unwrap();
        let mut accounts = String::new();
        for name in ["read", "trade"] {
            let credentials = format!("key = \"{name}-key\"\nsecret = \"{name}-secret\"\n");
            secret(&dir.join(format!("keys/{name}.toml")), &credentials);
            accounts += &format!("[[account]]\n{credentials}read_only = {}\n", name == "read");
        }
        secret(&dir.join("keys/paper.toml"), &accounts);
        let signer = "environment = \"paper\"\ntrade_key = \"keys/trade.toml\"\ntrade_socket = false\n[cap]\n\
                      symbols = [\"linear:BTCUSDT\", \"linear:ETHUSDT\"]\nnotional_max = \"25000\"\n\
                      adding_per_minute = 1200\nviolations_max = 20\n";
        secret(&dir.join("keys/signer.toml"), signer);
        let keys = dir.join("keys/paper.toml").display().to_string();
        let paper =
            Process::start(dir, &["paper", "--listen", "127.0.0.1:0", "--speed", "20", "--key-file", &keys]);
        let venue = paper.line("ready");
        let mut config = format!(
            "environment = \"paper\"\n[venue]\nrest = {}\nws = {}\nread_key = \"keys/read.toml\"\n\
             lookahead_us = 1000\n",
            venue["rest"], venue["ws"]
        );
        if configured {
            let bundle = bundles.file("ema-cross");
            config += &format!("[[strategy]]\nname = \"ema\"\nbundle = \"{bundle}\"\nbudget = \"10000\"\n");
        }
        let file = dir.join("portcullis.toml");
        fs::write(&file, config).unwrap();
        let daemon = Process::start(dir, &["run", "--all-in-one", "--config", file.to_str().unwrap()]);
        let ready = daemon.line("ready");
        Self { scratch, ready, daemon, _paper: paper }
    }

    fn dir(&self) -> &Path {
        self.scratch.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(BINARY).args(["--json", "--dir"]).arg(self.dir()).args(arguments).output().unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        json(&self.run(arguments))
    }

    /// Code of a command that must be refused with exit code 1.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let answer = json(&output);
        assert_eq!(output.status.code(), Some(1), "{answer}");
        assert_eq!(answer["ok"], false);
        assert!(!answer["detail"].as_str().unwrap().is_empty());
        answer["code"].as_str().unwrap().to_owned()
    }

    /// A request over the control socket, as another client than ours could write it.
    fn call(&self, request: &ControlRequest) -> ControlReply {
        call(&self.dir().join("control.sock"), request, PATIENCE).unwrap()
    }

    fn deploy(&self, upload: &str) -> ControlReply {
        let line = format!(r#"{{"request":"deploy","bundle":{upload:?},"budget":"1000"}}"#);
        self.call(&serde_json::from_str(&line).unwrap())
    }

    fn strategy(&self, name: &str) -> Option<Value> {
        let listed = self.ask(&["strategy", "list"]);
        listed["strategies"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned()
    }

    fn events(&self, name: &str) -> u64 {
        self.strategy(name).map_or(0, |strategy| strategy["events"].as_u64().unwrap())
    }

    fn wait_for(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            let status = self.ask(&["status"]);
            assert!(Instant::now() < deadline, "{what} did not come about: {status}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether a strategy had an intent approved.
    fn has_traded(&self, name: &str) -> bool {
        let records = self.journal();
        let started = records.iter().rev().find(|record| record["StrategyStarted"]["name"] == name);
        let Some(number) = started.map(|record| record["StrategyStarted"]["strategy"].clone()) else {
            return false;
        };
        records.iter().any(|record| record["Intent"]["strategy"] == number)
    }

    fn journal(&self) -> Vec<Value> {
        let output = self.run(&["journal", "tail"]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].clone()).collect()
    }

    fn kill_gateway(&mut self) {
        kill(u32::try_from(self.ready["pids"]["gateway"].as_u64().unwrap()).unwrap(), "KILL");
        let restarted = self.daemon.line("restarted");
        assert_eq!(restarted["role"], "gateway");
        self.ready = restarted;
    }

    fn deployments(&self) -> String {
        fs::read_to_string(self.dir().join("deployments.toml")).unwrap_or_default()
    }
}

fn secret(file: &Path, text: &str) {
    use std::io::Write as _;
    let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).unwrap();
    out.write_all(text.as_bytes()).unwrap();
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap().success());
}

fn code(reply: &ControlReply) -> &str {
    match reply {
        ControlReply::Error { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}

fn trades_and_comes_back() -> Tested {
    let mut host = Host::start(true);
    let maker = Bundles::get().file("market-maker");
    let events = host.events("ema");
    let started = done(&host.run(&["strategy", "start", &maker, "--budget", "10000"]));
    assert_eq!((&started["strategy"], &started["state"]), (&"market-maker".into(), &"running".into()));
    host.wait_for("trading on the new symbol", || host.has_traded("market-maker"));
    assert!(host.events("ema") > events, "the other strategy goes on");
    let status = host.ask(&["status"]);
    assert_eq!(status["inhibits"], serde_json::json!([]), "{status}");
    assert_eq!(host.strategy("market-maker").unwrap()["symbols"], serde_json::json!(["linear:ETHUSDT"]));
    assert_eq!(host.refused(&["strategy", "start", &maker]), "STRATEGY_EXISTS");
    assert!(host.deployments().contains("market-maker"));

    host.kill_gateway();
    let back = host.strategy("market-maker").expect("it is back with the gateway");
    assert_eq!(back["digest"], started["digest"]);
    host.wait_for("its return", || host.events("market-maker") > 0);
    assert_eq!(host.strategy("ema").unwrap()["state"], "running");

    // One that can no longer start must not keep the gateway, and with it the others, from running.
    let stored = fs::read_dir(host.dir().join("bundles"))?.next().unwrap()?.path();
    let good = fs::read(&stored)?;
    fs::write(&stored, b"not a bundle any more")?;
    host.kill_gateway();
    let failed = host.strategy("market-maker").unwrap();
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed["last_fault"].as_str().unwrap().starts_with("NOT_A_BUNDLE"), "{failed}");
    assert_eq!(host.strategy("ema").unwrap()["state"], "running");
    fs::write(&stored, good)?;
    host.kill_gateway();
    host.wait_for("its second return", || host.events("market-maker") > 0);

    done(&host.run(&["strategy", "stop", "market-maker"]));
    assert_eq!(host.strategy("market-maker"), None);
    assert!(!host.deployments().contains("market-maker"));
    host.kill_gateway();
    assert_eq!(host.strategy("market-maker"), None);
    host.wait_for("agreement of books and exchange", || {
        host.ask(&["status"])["inhibits"] == serde_json::json!([])
    });
    assert_eq!(host.ask(&["status"])["trading_state"], "active");
    // What it left open is still its own: it may come back to it, and nobody else may have it.
    done(&host.run(&["strategy", "start", &maker, "--name", "market-maker"]));
    host.wait_for("its third return", || host.events("market-maker") > 0);
    assert_eq!(host.refused(&["strategy", "stop", "nobody"]), "UNKNOWN_STRATEGY");
    Ok(())
}

fn shared() -> Tested {
    let mut host = Host::start(false);
    let bundles = Bundles::get();
    let start = |host: &Host, bundle: &str, options: &[&str]| {
        let file = bundles.file(bundle);
        let command = [&["strategy", "start", &file, "--budget", "10000"], options].concat();
        host.run(&command)
    };
    let pid = |host: &Host, name: &str| host.strategy(name).map_or(Value::Null, |line| line["pid"].clone());
    assert_eq!(json(&start(&host, "ema-cross", &["--cell", "No Name"]))["code"], "CELL_INVALID");

    // Two in one process, of which one fails in every frame from the fortieth event on. The other trades on in it.
    let own = |host: &Host, name: &str| {
        host.strategy(name).map(|line| (line["state"].clone(), line["strikes"].clone()))
    };
    let healthy = Some(("running".into(), 0.into()));
    done(&start(&host, "ema-cross", &["--name", "ema", "--cell", "trusted"]));
    done(&start(&host, "faulty", &["--cell", "trusted"]));
    let process = pid(&host, "ema");
    assert!(process.is_number());
    host.wait_for("its quarantine", || own(&host, "faulty").is_some_and(|(state, _)| state == "quarantined"));
    assert_eq!((pid(&host, "ema"), own(&host, "ema")), (process.clone(), healthy.clone()));
    host.wait_for("trading beside it", || host.has_traded("ema"));

    // The failed one is taken out and a third one joins. Then that one is stopped, and joins once more.
    done(&host.run(&["strategy", "stop", "faulty"]));
    for _ in 0..2 {
        done(&start(&host, "market-maker", &["--cell", "trusted"]));
        assert_eq!(pid(&host, "market-maker"), process);
        host.wait_for("trading of the third", || host.has_traded("market-maker"));
        done(&host.run(&["strategy", "stop", "market-maker"]));
        let events = host.events("ema");
        host.wait_for("more events for the one that stays", || host.events("ema") > events);
        assert_eq!((pid(&host, "ema"), own(&host, "ema")), (process.clone(), healthy.clone()));
    }

    // Without a name there is a process of its own. When the shared one is killed, nobody is blamed and those of it come back together.
    done(&start(&host, "market-maker", &[]));
    let alone = pid(&host, "market-maker");
    assert!(alone.is_number() && alone != process);
    kill(u32::try_from(process.as_u64().unwrap()).unwrap(), "KILL");
    host.wait_for("another process", || {
        let now = pid(&host, "ema");
        now.is_number() && now != process && own(&host, "ema") == healthy
    });
    assert_eq!(pid(&host, "market-maker"), alone);
    assert!(host.deployments().contains("cell = \"trusted\""), "{}", host.deployments());

    // The next gateway finds them in their places again.
    host.kill_gateway();
    host.wait_for("their return", || host.events("ema") > 0 && host.events("market-maker") > 0);
    assert_ne!(pid(&host, "ema"), pid(&host, "market-maker"));
    Ok(())
}

fn first_strategy() -> Tested {
    let host = Host::start(false);
    assert_eq!(host.ask(&["strategy", "list"])["strategies"], serde_json::json!([]));
    let ema = Bundles::get().file("ema-cross");
    done(&host.run(&["strategy", "start", &ema, "--name", "first", "--budget", "5000", "--set", "fast=5"]));
    host.wait_for("trading", || host.has_traded("first"));
    assert!(host.deployments().contains("fast = \"5\""), "{}", host.deployments());
    Ok(())
}

fn refusals() -> Tested {
    let bundles = Bundles::get();
    let host = Host::start(true);
    let maker = bundles.file("market-maker");
    let start = |file: &str| host.refused(&["strategy", "start", file]);

    let mut bytes = fs::read(&maker)?;
    *bytes.last_mut().unwrap() ^= 1;
    let tampered = bundles.file("tampered");
    fs::write(&tampered, bytes)?;
    assert_eq!(start(&tampered), "DIGEST_MISMATCH");

    let manifest = plugin("market-maker").join("strategy.toml");
    bundles.sign("market-maker", &manifest, "stranger", "foreign");
    assert_eq!(start(&bundles.file("foreign")), "SIGNER_UNKNOWN");

    let text = fs::read_to_string(&manifest)?
        .replace(r#"["paper", "testnet", "demo"]"#, r#"["live"]"#)
        .replace("valid_days = 365", "valid_days = 30");
    let live = bundles.folder.join("live.toml");
    fs::write(&live, text)?;
    bundles.sign("market-maker", &live, "author", "live-only");
    assert_eq!(start(&bundles.file("live-only")), "ENVIRONMENT_NOT_ALLOWED");

    let ema = bundles.file("ema-cross");
    assert_eq!(start(&ema), "SYMBOL_OWNED");
    assert_eq!(host.refused(&["strategy", "start", &maker, "--name", "ema"]), "STRATEGY_EXISTS");
    assert_eq!(host.refused(&["strategy", "start", &maker, "--name", "../ema"]), "STRATEGY_NAME_INVALID");
    assert_eq!(host.refused(&["strategy", "start", &maker, "--budget", "0"]), "BUDGET_INVALID");
    // Only the strategy itself knows its parameters, so this is found out after it was accepted.
    assert_eq!(host.refused(&["strategy", "start", &maker, "--set", "nonsense=1"]), "PARAMETERS_INVALID");
    host.wait_for("it to be forgotten", || !host.deployments().contains("market-maker"));

    let incoming = host.dir().join("incoming");
    symlink(host.dir().join("root.json"), incoming.join("link"))?;
    assert_eq!(code(&host.deploy("link")), "UPLOAD_NOT_A_FILE");
    fs::File::create(incoming.join("large"))?.set_len(1 << 30)?;
    assert_eq!(code(&host.deploy("large")), "BUNDLE_TOO_LARGE");
    assert_eq!(code(&host.deploy("absent")), "UPLOAD_NOT_FOUND");
    let traversal = r#"{"request":"deploy","bundle":"../root.json","budget":"1000"}"#;
    assert!(serde_json::from_str::<ControlRequest>(traversal).is_err());
    assert!(raw(&host, traversal).contains("BAD_REQUEST"));
    assert_eq!(code(&host.call(&ControlRequest::Deployment { id: 77 })), "UNKNOWN_DEPLOYMENT");

    assert_eq!(fs::read_dir(&incoming)?.count(), 0, "uploads are gone whatever came of them");
    assert!(host.dir().join("root.json").exists());
    let listed = host.ask(&["strategy", "list"]);
    assert_eq!(listed["strategies"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["strategies"][0]["state"], "running");
    Ok(())
}

/// The answer to a line that is no request.
fn raw(host: &Host, line: &str) -> String {
    use std::io::Write as _;
    let mut stream = std::os::unix::net::UnixStream::connect(host.dir().join("control.sock")).unwrap();
    writeln!(stream, "{line}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

fn compiling() -> Tested {
    let host = Host::start(true);
    let runner = host.ready["pids"]["runner"].as_u64().unwrap();
    fs::copy(Bundles::get().file("market-maker"), host.dir().join("incoming/maker"))?;
    let ControlReply::Accepted { deployment, .. } = host.deploy("maker") else { panic!("refused") };
    // The compiler is held fast, so that the compilation lasts as long as this test likes.
    let deadline = Instant::now() + PATIENCE;
    let compiler = loop {
        if let Some(pid) = child(runner, "compile") {
            break pid;
        }
        assert!(Instant::now() < deadline, "no compiler was seen");
    };
    kill(compiler, "STOP");
    let state = || match host.call(&ControlRequest::Deployment { id: deployment }) {
        ControlReply::Deployment(line) => line.state.as_str(),
        other => panic!("{other:?}"),
    };
    assert_eq!(state(), "compiling");
    assert_eq!(host.strategy("market-maker").unwrap()["state"], "compiling");
    let events = host.events("ema");
    host.wait_for("events of the other strategy", || host.events("ema") > events + 50);
    assert_eq!(state(), "compiling");
    // A second one waits for its turn, and may be given up.
    fs::copy(Bundles::get().file("market-maker"), host.dir().join("incoming/second"))?;
    let line = r#"{"request":"deploy","bundle":"second","name":"second","budget":"1000"}"#;
    let second = host.call(&serde_json::from_str(line)?);
    let ControlReply::Accepted { deployment: second, .. } = second else { panic!("{second:?}") };
    done(&host.run(&["strategy", "stop", "second"]));
    let ControlReply::Deployment(line) = host.call(&ControlRequest::Deployment { id: second }) else {
        panic!("no longer known")
    };
    assert_eq!(line.code.as_deref(), Some("STOPPED"));

    kill(compiler, "CONT");
    host.wait_for("the strategy", || state() == "running");
    assert_eq!(host.strategy("second"), None);
    Ok(())
}

/// A child of a process with this role in its command line.
fn child(parent: u64, role: &str) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().find_map(|pid| {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        command.split('\0').any(|word| word == role).then(|| pid.parse().ok())?
    })
}

fn journaled() -> Tested {
    let host = Host::start(true);
    let maker = Bundles::get().file("market-maker");
    done(&host.run(&["strategy", "start", &maker]));
    let access = ControlRequest::Access {
        kind: AccessKind::Login,
        user: "ada".parse()?,
        address: "203.0.113.7".parse()?,
    };
    assert!(matches!(host.call(&access), ControlReply::Done { .. }));
    assert!(matches!(host.call(&ControlRequest::FailedAccess { count: 12 }), ControlReply::Done { .. }));
    let halt =
        ControlRequest::Halt { reason: "drill".to_owned(), scope: None, actor: Some("console:ada".parse()?) };
    assert!(matches!(host.call(&halt), ControlReply::Done { .. }));
    let stop =
        ControlRequest::Stop { strategy: "market-maker".to_owned(), actor: Some("console:ada".parse()?) };
    assert!(matches!(host.call(&stop), ControlReply::Done { .. }));
    let expected = [
        ("control-socket", "Deploy"),
        ("ada", "Access"),
        ("console", "FailedAccess"),
        ("console:ada", "Raise"),
        ("console:ada", "Stop"),
    ];
    let noted = || {
        let records = host.journal();
        let operators: Vec<Value> =
            records.into_iter().filter_map(|record| record.get("Operator").cloned()).collect();
        let mut operators = operators.iter();
        expected.iter().all(|(actor, what)| {
            operators.any(|entry| entry["actor"] == *actor && entry["command"].get(what).is_some())
        })
    };
    host.wait_for("the journal's entries", noted);
    let records = host.journal();
    let entry = |what: &str| {
        let commands = records.iter().map(|record| &record["Operator"]["command"]);
        commands.filter_map(|command| command.get(what)).next().unwrap().clone()
    };
    assert_eq!(entry("Access"), serde_json::json!({"kind": "login", "address": "203.0.113.7"}));
    assert_eq!(entry("FailedAccess"), serde_json::json!({"count": 12}));
    assert_eq!(entry("Deploy")["strategy"], "market-maker");
    Ok(())
}
