//! `strategy replay-fault`: whether the fault in a file comes about again.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use portcullis_cell::{
    CellEngine, FAULT_FILE_BYTES_MAX, FaultFile, FaultedCall, Program, engine_digest, replay,
};
use portcullis_core::Digest;
use portcullis_role::{Confined, Confinement, Profile, in_child};
use serde_json::{Value, json};

use crate::backtest::Subject;
use crate::failure::Failure;
use crate::output;

/// Descriptors of the replaying child.
const OPEN_FILES: u64 = 16;

/// Processor time of the replaying child in seconds; a day of frames takes seconds.
const CPU_S: u64 = 600;

/// Longest answer of the child, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Runs the command. The exit code is 0 when the fault was reproduced, 1 when not, 2 for a wrong file or bundle, 3 when this machine
/// cannot say.
pub(crate) fn run(
    file: &Path,
    bundle: Option<&Path>,
    dir: &Path,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let evidence = read(file)?;
    let engine = engine_digest().map_err(anyhow::Error::new)?;
    if evidence.engine != engine {
        return Err(Failure::Environment(anyhow::anyhow!(
            "the fault happened on engine {}, this is {engine}; replay it with portcullis {}",
            evidence.engine,
            evidence.software
        )));
    }
    let verdict = if let Some(reason) = not_claimed(&evidence) {
        Verdict { reproduced: false, differences: vec![reason], found: Value::Null }
    } else {
        let bundle = match bundle {
            Some(bundle) => bundle.to_owned(),
            None => stored(&evidence, file, dir)?,
        };
        again(&evidence, &bundle)?
    };
    report(&evidence, &verdict, as_json);
    Ok(if verdict.reproduced { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

struct Verdict {
    reproduced: bool,
    /// In what the replay differs, in words.
    differences: Vec<String>,
    /// The fault that was found instead, or again.
    found: Value,
}

/// Why a replay would prove nothing, if it would not.
fn not_claimed(evidence: &FaultFile) -> Option<String> {
    let code = evidence.code;
    if !code.is_reproducible() {
        Some(format!(
            "{code} depends on the machine's clock, load or processes and not on the frames alone: it is not replayed"
        ))
    } else if evidence.call == FaultedCall::None {
        Some("it did not fail in a call of its own: there is nothing to replay".to_owned())
    } else if evidence.frames_left_out > 0 {
        Some(format!(
            "{} frames since the snapshot had no room in the file: the state it failed in is not known",
            evidence.frames_left_out
        ))
    } else {
        None
    }
}

/// Compiles the component and goes through the calls, each in a child of this process (RULES C4).
fn again(evidence: &FaultFile, bundle: &Path) -> Result<Verdict, Failure> {
    let subject = Subject::load(bundle)?;
    if subject.artifact.component() != evidence.component {
        return Err(Failure::Usage(format!(
            "{} holds component {}, the fault is of {}; name its bundle with --bundle",
            bundle.display(),
            subject.artifact.component(),
            evidence.component
        )));
    }
    let confinement = Confinement { cpu_s: Some(CPU_S), ..Confinement::nothing(Profile::Lab, OPEN_FILES) };
    let work = |confined| work(evidence, &subject, confined).to_string().into_bytes();
    let answer = in_child(&confinement, ANSWER_BYTES_MAX, work).map_err(|error| {
        Failure::Environment(anyhow::Error::new(error).context("the replay's own process"))
    })?;
    let answer: Value = serde_json::from_slice(&answer).map_err(anyhow::Error::new)?;
    if let Some(trouble) = answer.get("trouble").and_then(Value::as_str) {
        return Err(Failure::Environment(anyhow::anyhow!("{trouble}")));
    }
    let differences: Vec<String> = answer
        .get("differences")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect())
        .context("the replay gave no answer")?;
    let found = answer.get("found").cloned().unwrap_or_default();
    Ok(Verdict { reproduced: differences.is_empty(), differences, found })
}

/// What happens in the child.
fn work(evidence: &FaultFile, subject: &Subject, confined: Confined) -> Value {
    let program = CellEngine::new().map_err(|error| error.to_string()).and_then(|engine| {
        Program::load(&Arc::new(engine), &subject.artifact).map_err(|error| error.to_string())
    });
    // No guest has run yet.
    if let Err(trouble) = confined.settle() {
        return json!({"trouble": trouble.to_string()});
    }
    let replayed = match program {
        Ok(program) => replay(evidence, program),
        Err(trouble) => return json!({"trouble": trouble}),
    };
    if replayed.is_too_slow() {
        return json!({"trouble": "a call took a minute: this machine is too slow to say anything"});
    }
    let found = replayed.fault.as_ref().map(|fault| {
        json!({
            "code": fault.code.as_str(),
            "detail": fault.detail,
            "backtrace": fault.backtrace,
            "fuel": fault.fuel_charged,
        })
    });
    json!({"differences": replayed.differences(evidence), "found": found})
}

fn read(file: &Path) -> Result<FaultFile, Failure> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(FAULT_FILE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))?;
    FaultFile::decode(&bytes).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

/// The bundle as the host keeps it: in the data directory, or in the one that the file lies in.
fn stored(evidence: &FaultFile, file: &Path, dir: &Path) -> Result<PathBuf, Failure> {
    let beside = file.parent().and_then(Path::parent).map(Path::to_owned);
    let folders = [Some(dir.to_owned()), beside].into_iter().flatten().map(|dir| dir.join("bundles"));
    folders.filter_map(|folder| bundle_in(&folder, evidence.bundle)).next().ok_or_else(|| {
        Failure::Environment(anyhow::anyhow!(
            "no bundle of digest {} in {}; name it with --bundle",
            evidence.bundle,
            dir.join("bundles").display()
        ))
    })
}

fn bundle_in(folder: &Path, digest: Digest) -> Option<PathBuf> {
    let digest = digest.to_string();
    let ending = format!("-{}.strategy", digest.get(..8)?);
    let entries = std::fs::read_dir(folder).ok()?;
    let mut found = entries.filter_map(|entry| Some(entry.ok()?.path()));
    found.find(|path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(&ending))
    })
}

fn report(evidence: &FaultFile, verdict: &Verdict, as_json: bool) {
    let code = evidence.code;
    if as_json {
        return output::json(&json!({
            "ok": verdict.reproduced,
            "reproduced": verdict.reproduced,
            "reproducible": code.is_reproducible(),
            "strategy": evidence.strategy.to_string(),
            "at_ns": evidence.at.0,
            "code": code.as_str(),
            "blame": code.blame().as_str(),
            "detail": evidence.detail,
            "backtrace": evidence.backtrace,
            "fuel": evidence.fuel_charged,
            "memory_bytes": evidence.memory.bytes,
            "memory_asked_bytes": evidence.memory.asked_bytes,
            "frames": evidence.frames.len(),
            "frames_left_out": evidence.frames_left_out,
            "bundle": evidence.bundle.to_string(),
            "component": evidence.component.to_string(),
            "differences": verdict.differences,
            "found": verdict.found,
        }));
    }
    output::text(format!(
        "{} failed with {code} ({}) after {} frames since its snapshot: {}",
        evidence.strategy,
        code.blame(),
        evidence.frames.len(),
        evidence.detail
    ));
    for line in &evidence.backtrace {
        output::text(format!("    {line}"));
    }
    if verdict.reproduced {
        output::text("reproduced: the same fault, in the same functions, with the same fuel");
    } else {
        output::text(format!("not reproduced: {}", verdict.differences.join("; ")));
    }
}
