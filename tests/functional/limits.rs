//! Limits as an operator changes them while orders flow, and a file that was edited past the operator.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "../support/demo.rs"]
mod support;

use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

use support::{Demo, json, portcullis};

fn main() {
    let arguments = Arguments::from_args();
    let tests = vec![
        Trial::test("limits_are_changed_while_orders_flow", changed),
        Trial::test("limits_are_explained_without_a_gateway", explained),
    ];
    libtest_mimic::run(&arguments, tests).exit();
}

type Tested = Result<(), libtest_mimic::Failed>;

/// Exit code and answer.
fn run(dir: &Path, command: &[&str]) -> (i32, Value) {
    let output = portcullis(dir, command);
    (output.status.code().unwrap(), json(&output))
}

/// The limits in force with one line changed, as a file beside them.
fn edited(dir: &Path, name: &str, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(dir.join("limits.toml")).unwrap();
    assert!(text.contains(from), "{from}");
    let file = dir.join(name);
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    file.to_str().unwrap().to_owned()
}

fn file(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("limits.toml")).unwrap()
}

fn changed() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    let dir = dir.path();
    demo.wait_for("trading", &["status"], |status| status["journal"]["records"].as_u64().unwrap() > 40);

    let shown = demo.ask(&["limits", "show"]);
    assert_eq!(shown["online"], true, "{shown}");
    let gauges = shown["gauges"].as_array().unwrap();
    assert!(gauges.iter().any(|gauge| gauge["key"] == "account.daily_loss_max" && gauge["seen"].is_string()));
    let explained = demo.ask(&["limits", "explain", "account.orders_per_hour_max"]);
    let one = &explained["limits"][0];
    assert!(one["seen"].as_str().unwrap().parse::<u64>().unwrap() > 0, "{explained}");
    assert!(one["stops"].as_str().unwrap().contains("ORDER_RATE_LIMIT"), "{explained}");

    // Tighter is in force at once, and in the file.
    let tighter = edited(dir, "tighter.toml", "daily_loss_max = \"5000\"", "daily_loss_max = \"4000\"");
    let (exit, done) = run(dir, &["limits", "set", &tighter, "--reason", "quiet week"]);
    assert_eq!((exit, &done["reply"]), (0, &"done".into()), "{done}");
    assert_eq!(done["changes"][0]["loosens"], false, "{done}");
    assert_eq!(file(dir), std::fs::read_to_string(&tighter)?);
    assert_ne!(demo.ask(&["limits", "show"])["hash"], shown["hash"]);

    // Looser takes the code of a first step, and a code is good once.
    let looser = edited(dir, "looser.toml", "daily_loss_max = \"4000\"", "daily_loss_max = \"4500\"");
    let set = |code: Option<&str>| {
        let mut command = vec!["limits", "set", &looser, "--reason", "back to normal"];
        command.extend(code.into_iter().flat_map(|code| ["--code", code]));
        run(dir, &command)
    };
    let (exit, confirm) = set(None);
    assert_eq!((exit, &confirm["reply"]), (0, &"confirm".into()), "{confirm}");
    assert!(confirm["detail"].as_str().unwrap().contains("account.daily_loss_max 4000 -> 4500"), "{confirm}");
    assert_eq!(file(dir), std::fs::read_to_string(&tighter)?);
    let (exit, refused) = set(Some("000000"));
    assert_eq!((exit, &refused["code"]), (1, &"REFUSED".into()), "{refused}");
    let code = set(None).1["code"].as_str().unwrap().to_owned();
    assert_eq!(set(Some(&code)).1["reply"], "done");
    assert_eq!(file(dir), std::fs::read_to_string(&looser)?);

    let (exit, refused) =
        run(dir, &["limits", "set", dir.join("portcullis.toml").to_str().unwrap(), "--reason", "oops"]);
    assert_eq!((exit, &refused["code"]), (1, &"LIMITS_REFUSED".into()), "{refused}");
    for word in ["account is missing", "each_strategy is missing", "venue is not a limit"] {
        assert!(refused["detail"].as_str().unwrap().contains(word), "{word} in {refused}");
    }

    overridden(&demo, dir);

    // Every order of the demo is worth more than 10 USDT.
    let strict = edited(dir, "strict.toml", "order_notional_max = \"20000\"", "order_notional_max = \"10\"");
    let (exit, simulated) = run(dir, &["limits", "simulate", &strict]);
    assert_eq!(exit, 0, "{simulated}");
    assert!(simulated["counts"]["would_refuse"].as_u64().unwrap() > 0, "{simulated}");
    assert_eq!(simulated["would_refuse"][0]["reasons"][0]["check"], "order-notional", "{simulated}");

    let (summary, exit) = demo.end();
    assert_eq!((exit, &summary["journal"]["verified"]), (0, &true.into()), "{summary}");
    let journal = String::from_utf8(portcullis(dir, &["journal", "tail"]).stdout)?;
    for fact in ["quiet week", "back to normal", "one hedge"] {
        assert!(journal.contains(fact), "{fact} is not journaled");
    }
    edited_past_the_operator(dir);
    Ok(())
}

/// One order past a bound, in two steps.
fn overridden(demo: &Demo, dir: &Path) {
    let ask = |check: &str, code: Option<&str>| {
        let mut command = vec!["limits", "override", "--strategy", "ema-cross", "--check", check];
        command.extend(["--limit", "25000", "--for", "5m", "--reason", "one hedge"]);
        command.extend(code.into_iter().flat_map(|code| ["--code", code]));
        run(dir, &command)
    };
    assert_eq!(ask("loss-account", None).1["code"], "REFUSED", "losses are never let past");
    assert_eq!(ask("no-such-check", None).1["code"], "UNKNOWN_CHECK");
    let code = ask("order-notional", None).1["code"].as_str().unwrap().to_owned();
    assert_eq!(ask("order-notional", Some(&code)).1["reply"], "done");
    let shown = demo.ask(&["limits", "show"]);
    assert_eq!(shown["overrides"][0]["check"], "order-notional", "{shown}");
    assert_eq!(shown["overrides"][0]["limit"], "25000", "{shown}");
}

/// A file that was loosened by hand does not start, unless it is accepted by its hash.
fn edited_past_the_operator(dir: &Path) {
    let before = file(dir);
    edited(dir, "limits.toml", "daily_loss_max = \"4500\"", "daily_loss_max = \"9000\"");
    let config = dir.join("portcullis.toml");
    let start = ["gateway", "--config", config.to_str().unwrap()];
    let (exit, refused) = run(dir, &start);
    assert_eq!((exit, &refused["code"]), (1, &"LIMITS_LOOSENED".into()), "{refused}");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("account.daily_loss_max 4500 -> 9000"), "{detail}");
    assert_eq!(std::fs::read_to_string(dir.join("limits.in-force.toml")).unwrap(), before);
    let hash = detail.split("--accept-limits ").nth(1).unwrap().split(' ').next().unwrap();
    let accepted: Vec<&str> =
        start.into_iter().chain(["--accept-limits", hash, "--accept-reason", "agreed"]).collect();
    let (exit, later) = run(dir, &accepted);
    assert_eq!(exit, 3, "it gets as far as the runner, which does not run: {later}");
    assert!(later["detail"].as_str().unwrap().contains("runner"), "{later}");
}

fn explained() -> Tested {
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    let (exit, all) = run(dir, &["limits", "explain"]);
    assert_eq!(exit, 0, "{all}");
    assert!(all["limits"].as_array().unwrap().len() > 50, "{all}");
    let (_, by_check) = run(dir, &["limits", "explain", "collar-market"]);
    let keys: Vec<&str> =
        by_check["limits"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(
        keys,
        ["instrument.CATEGORY:SYMBOL.collar_fraction", "instrument.CATEGORY:SYMBOL.collar_ticks"]
    );
    let (exit, unknown) = run(dir, &["limits", "explain", "stoploss"]);
    assert_eq!((exit, &unknown["code"]), (1, &"UNKNOWN_LIMIT".into()), "{unknown}");

    let template = portcullis(dir, &["limits", "template"]);
    std::fs::write(dir.join("limits.toml"), json(&template)["limits"].as_str().unwrap())?;
    let (exit, shown) = run(dir, &["limits", "show"]);
    assert_eq!((exit, &shown["online"]), (0, &false.into()), "{shown}");
    assert_eq!(shown["limits"][0]["key"], "account.capital", "{shown}");
    let (exit, nobody) =
        run(dir, &["limits", "set", dir.join("limits.toml").to_str().unwrap(), "--reason", "none"]);
    assert_eq!((exit, &nobody["code"]), (3, &"ENVIRONMENT".into()), "{nobody}");
    Ok(())
}
