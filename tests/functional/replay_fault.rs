//! A strategy that fails, in the running demo: it is brought back three times, then quarantined, and the files it leaves bring the same
//! fault about again.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "../support/faulty.rs"]
mod faulty_strategy;
#[path = "../support/demo.rs"]
mod support;

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::{Arguments, Trial};
use portcullis_cell::FaultFile;
use portcullis_core::{Digest, FaultCode};
use serde_json::Value;

use faulty_strategy::{MANIFEST, component};
use support::{BINARY, Demo, json, portcullis};

fn main() {
    let tests = vec![Trial::test("a_faulty_strategy_is_quarantined_and_its_fault_comes_again", faulty)];
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

type Tested = Result<(), libtest_mimic::Failed>;

/// The faulty strategy as a bundle that the demo in this directory takes.
fn bundle(dir: &Path) -> PathBuf {
    let keys = dir.join("keys");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys).unwrap();
    done(&portcullis(dir, &["keys", "generate", "demo-author", "--out", keys.to_str().unwrap()]));
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    fs::write(dir.join("faulty.wasm"), component()).unwrap();
    fs::write(dir.join("faulty.toml"), MANIFEST).unwrap();
    let (wasm, manifest, out) = (path("faulty.wasm"), path("faulty.toml"), path("faulty.strategy"));
    let key = keys.join("demo-author.key").to_str().unwrap().to_owned();
    let sign = ["strategy", "sign", &wasm, "--manifest", &manifest, "--key", &key, "--out", &out];
    done(&portcullis(dir, &sign));
    out.into()
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn strategy<'a>(status: &'a Value, name: &str) -> &'a Value {
    status["strategies"].as_array().unwrap().iter().find(|line| line["name"] == name).unwrap()
}

fn faulty() -> Tested {
    let scratch = tempfile::tempdir()?;
    let dir = scratch.path();
    let bundle = bundle(dir);
    let demo = Demo::start(dir, &["--speed", "20", "--strategy", bundle.to_str().unwrap()]);
    let status = demo.wait_for("quarantine", &["status"], |status| {
        strategy(status, "ema-cross")["state"] == "quarantined"
    });
    let line = strategy(&status, "ema-cross");
    assert_eq!((&line["faults"], &line["strikes"]), (&4.into(), &4.into()), "{line}");
    let first = line["first_fault"].as_str().unwrap();
    assert!(first.starts_with("TRAP (guest): ") && first.contains("over_the_edge"), "{first}");
    assert_eq!(strategy(&status, "market-maker")["state"], "running", "{status}");
    assert_eq!(strategy(&status, "market-maker")["strikes"], 0);

    // The journal names every file, and tells the operator.
    let journal = String::from_utf8(portcullis(dir, &["journal", "tail"]).stdout)?;
    let records: Vec<Value> =
        journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["record"].clone()).collect();
    let faults: Vec<&Value> = records
        .iter()
        .map(|record| &record["StrategyFault"])
        .filter(|fault| fault["code"] == "Trap")
        .collect();
    let cited: Vec<&str> = faults.iter().map(|fault| fault["evidence"].as_str().unwrap()).collect();
    assert_eq!(cited.len(), 4, "{journal}");
    assert_eq!(line["fault_file"], cited[0], "the first cause is kept");
    let findings: Vec<&Value> = records.iter().map(|record| &record["Finding"]).collect();
    let told = findings.iter().find(|finding| finding["kind"] == "StrategyQuarantined").unwrap();
    assert!(told["detail"].as_str().unwrap().contains(cited[0]), "{told}");

    let folder = dir.join("faults");
    assert_eq!(fs::metadata(&folder)?.permissions().mode() & 0o777, 0o700);
    for file in &cited {
        assert_eq!(fs::metadata(folder.join(file))?.permissions().mode() & 0o777, 0o600);
        let again = portcullis(dir, &["strategy", "replay-fault", folder.join(file).to_str().unwrap()]);
        let answer = json(&again);
        assert_eq!(again.status.code(), Some(0), "{answer}");
        assert_eq!((&answer["reproduced"], &answer["code"]), (&true.into(), &"TRAP".into()), "{answer}");
        assert!(answer["found"]["backtrace"][0].as_str().unwrap().contains("over_the_edge"), "{answer}");
    }
    let (_, code) = demo.end();
    assert_eq!(code, 0, "a quarantined strategy is no failure of the demo");
    strangers(dir, &folder.join(cited[0]));
    Ok(())
}

/// The same file away from its host, and files that are not what they were.
fn strangers(dir: &Path, file: &Path) {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("one.fault");
    let evidence = FaultFile::decode(&fs::read(file).unwrap()).unwrap();
    let replay = |change: &dyn Fn(&mut FaultFile), more: &[&str]| {
        let mut other = evidence.clone();
        change(&mut other);
        fs::write(&copy, other.encode().unwrap()).unwrap();
        let command = Command::new(BINARY)
            .args(["--json", "--dir", elsewhere.path().to_str().unwrap(), "strategy", "replay-fault"])
            .arg(&copy)
            .args(more)
            .output()
            .unwrap();
        (command.status.code().unwrap(), json(&command))
    };
    let same = |_: &mut FaultFile| {};
    let bundle = dir.join("faulty.strategy").to_str().unwrap().to_owned();
    let given = ["--bundle", bundle.as_str()];

    let (code, answer) = replay(&same, &[]);
    assert_eq!(code, 3, "no bundle is here: {answer}");
    let (code, answer) = replay(&same, &given);
    assert_eq!((code, &answer["reproduced"]), (0, &true.into()), "{answer}");
    let component = dir.join("faulty.wasm").to_str().unwrap().to_owned();
    assert_eq!(replay(&same, &["--bundle", &component]).0, 0, "the bare component does as well");
    let built = fs::read_dir(dir.join("built")).unwrap().next().unwrap().unwrap().path();
    let (code, answer) = replay(&same, &["--bundle", built.to_str().unwrap()]);
    assert_eq!(code, 2, "another strategy's bundle: {answer}");

    let (code, answer) = replay(&|file| file.engine = Digest([7; 32]), &given);
    assert_eq!(code, 3, "another engine: {answer}");
    let (code, answer) = replay(&|file| file.frames.clear(), &given);
    assert_eq!((code, &answer["differences"][0]), (1, &"nothing failed".into()), "{answer}");
    for code in [FaultCode::Deadline, FaultCode::Overload, FaultCode::Host] {
        let (exit, answer) = replay(&|file| file.code = code, &given);
        assert_eq!((exit, &answer["reproducible"]), (1, &false.into()), "{answer}");
        assert!(answer["differences"][0].as_str().unwrap().contains("not replayed"), "{answer}");
    }
    let mut bytes = fs::read(file).unwrap();
    bytes[100] ^= 1;
    fs::write(&copy, bytes).unwrap();
    let damaged = portcullis(dir, &["strategy", "replay-fault", copy.to_str().unwrap()]);
    assert_eq!(damaged.status.code(), Some(2), "{}", json(&damaged));
}
