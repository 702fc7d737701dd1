//! Strategies in JavaScript and Python: their SDKs and lessons tested natively, built, and trading on paper in the default cell.

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "../support/demo.rs"]
mod support;
#[path = "../support/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use support::{BINARY, Demo, json};

type Tested = Result<(), Failed>;

/// The two lessons, the folder of each and the symbol of its manifest.
const LESSONS: [(&str, &str); 2] = [("ema-cross-js", "linear:BTCUSDT"), ("ema-cross-py", "linear:ETHUSDT")];

/// How long each strategy may take until it has an execution.
const TRADING_WITHIN: Duration = Duration::from_secs(180);

fn main() {
    let missing = tools::missing(&[tools::PYTHON, tools::NODE, tools::NPM]);
    let trial = |name, test| tools::trial(name, missing, test);
    let trials = vec![
        trial("the_javascript_sdk_keeps_the_contract", || node_test("sdk/js")),
        trial("the_python_sdk_keeps_the_contract", || unittest("sdk/python", &[])),
        trial("the_javascript_lesson_does_what_it_says", javascript_lesson),
        trial("the_python_lesson_does_what_it_says", || {
            unittest("plugins/ema-cross-py", &["src", "../../sdk/python"])
        }),
        trial("both_import_nothing_and_trade_on_paper", trade),
        Trial::test("a_missing_language_is_named_with_what_to_install", missing_language),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn node_test(folder: &str) -> Tested {
    let mut node = Command::new("node");
    passes(node.arg("--test").current_dir(repository().join(folder)), "# tests 0\n")
}

fn javascript_lesson() -> Tested {
    install_lesson()?;
    node_test("plugins/ema-cross-js")
}

/// Installs what the lesson's `package.json` names, which is the SDK beside it and needs no network: once, because another trial
/// builds the lesson meanwhile.
fn install_lesson() -> Tested {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let done = DONE.get_or_init(|| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let output = npm.current_dir(repository().join("plugins/ema-cross-js")).output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(said(&output)) }
    });
    done.clone().map_err(Failed::from)
}

fn unittest(folder: &str, path: &[&str]) -> Tested {
    let mut python = Command::new("python3");
    python.args(["-B", "-m", "unittest", "discover", "-s", "tests", "-t", "."]);
    python.current_dir(repository().join(folder)).env("PYTHONPATH", path.join(":"));
    passes(&mut python, "Ran 0 tests")
}

/// Succeeds if the command does and says that it did something: a runner that found no test must not pass for one.
fn passes(command: &mut Command, nothing: &str) -> Tested {
    let output = command.output()?;
    let said = said(&output);
    if output.status.success() && !said.contains(nothing) { Ok(()) } else { Err(said.into()) }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn portcullis(arguments: &[&str]) -> Result<Value, Failed> {
    let output = Command::new(BINARY).arg("--json").args(arguments).output()?;
    if output.status.success() { Ok(json(&output)) } else { Err(said(&output).into()) }
}

fn trade() -> Tested {
    install_lesson()?;
    let dir = tempfile::tempdir()?;
    let path = |name: &str| dir.path().join(name).display().to_string();
    let demo_dir = path("demo");
    let keys = ["keys", "generate", "author", "--out", &path("")];
    portcullis(&keys)?;
    portcullis(&[
        "--dir",
        &demo_dir,
        "keys",
        "trust",
        &path("author.pub"),
        "--owner",
        "a",
        "--env",
        "paper",
    ])?;

    let mut options = vec!["--speed".to_owned(), "20".to_owned()];
    for (name, _) in LESSONS {
        let folder = repository().join("plugins").join(name);
        let (component, bundle) = (path(&format!("{name}.wasm")), path(&format!("{name}.strategy")));
        portcullis(&["strategy", "build", &folder.display().to_string(), "--out", &component])?;

        // Admission refuses every import, so what passes has none; and it is no small component in disguise.
        let checked = portcullis(&["strategy", "check", &component])?;
        assert_eq!((&checked["ok"], &checked["code"]), (&true.into(), &"OK".into()), "{checked}");
        assert!(checked["detail"].as_str().unwrap().contains("tier script"), "{checked}");

        let manifest = folder.join("strategy.toml").display().to_string();
        let key = path("author.key");
        portcullis(&[
            "strategy",
            "sign",
            &component,
            "--manifest",
            &manifest,
            "--key",
            &key,
            "--out",
            &bundle,
        ])?;
        let checked = portcullis(&["--dir", &demo_dir, "strategy", "check", &bundle])?;
        assert_eq!(checked["code"], "OK", "{checked}");
        options.extend(["--strategy".to_owned(), bundle]);
    }

    let demo = Demo::start(Path::new(&demo_dir), &options.iter().map(String::as_str).collect::<Vec<_>>());
    let status = demo.ask(&["status"]);
    let bundles: Vec<_> = status["strategies"].as_array().unwrap().iter().map(|it| &it["bundle"]).collect();
    assert_eq!(bundles, ["ema-cross-js-0.1.0", "ema-cross-py-0.1.0"], "{status}");

    // A position may be flat at the moment of asking, so each symbol is remembered once it had one.
    let deadline = Instant::now() + TRADING_WITHIN;
    let mut traded = BTreeMap::new();
    while traded.len() < LESSONS.len() {
        assert!(Instant::now() < deadline, "only {traded:?} traded: {}", demo.ask(&["status"]));
        for position in demo.ask(&["positions"])["positions"].as_array().unwrap() {
            let symbol = position["symbol"].as_str().unwrap().to_owned();
            if position["quantity"].as_str().unwrap().parse::<f64>().unwrap() != 0.0 {
                traded.insert(symbol, position.clone());
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(LESSONS.iter().all(|(_, symbol)| traded.contains_key(*symbol)), "{traded:?}");
    // What only the first calls can do shows in the calls that follow.
    demo.wait_for("a thousand events of each", &["status"], |status| {
        status["strategies"].as_array().unwrap().iter().all(|it| it["events"].as_u64() >= Some(1_000))
    });

    let (summary, exit) = demo.end();
    assert_eq!((exit, &summary["journal"]["verified"]), (0, &true.into()), "{summary}");
    for strategy in summary["strategies"].as_array().unwrap() {
        assert_eq!((&strategy["state"], &strategy["faults"]), (&"running".into(), &0.into()), "{summary}");
    }
    Ok(())
}

fn missing_language() -> Tested {
    let nowhere = tempfile::tempdir()?;
    for (name, words) in [("ema-cross-js", "apt-get install nodejs npm"), ("ema-cross-py", "python3-venv")] {
        let output = Command::new(BINARY)
            .args(["strategy", "build"])
            .arg(repository().join("plugins").join(name))
            .env("PATH", nowhere.path())
            .output()?;
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    Ok(())
}
