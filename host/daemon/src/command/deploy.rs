//! `strategy start | stop | list`: what runs in the gateway, while it runs.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use portcullis_role::{
    ControlReply, ControlRequest, DeployRequest, DeploymentLine, DeploymentState, StrategyLine, UploadName,
};
use serde_json::json;

use super::operate;
use crate::cli::StartStrategy;
use crate::failure::Failure;
use crate::gateway::{BUNDLE_BYTES_MAX, INCOMING};
use crate::output;
use crate::places::Places;

/// How often the gateway is asked how far a deployment is.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Longest wait for a deployment: a script may take minutes to compile, and others may be compiled first.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Uploads a bundle, and waits until its strategy runs.
pub(crate) fn start(arguments: &StartStrategy, places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    let (file, bundle) = upload(&arguments.file, places.data())?;
    let request = ControlRequest::Deploy(DeployRequest {
        bundle,
        name: arguments.name.clone(),
        budget: arguments.budget.clone(),
        parameters: arguments.set.iter().cloned().collect(),
        cell: arguments.cell.clone(),
        actor: None,
    });
    let reply = operate::ask_patiently(places, &request);
    // The gateway has taken it; unless it was not even asked.
    let _ = fs::remove_file(file);
    let ControlReply::Accepted { deployment, strategy, bundle, .. } = done(reply?)? else {
        return Err(unexpected());
    };
    output::remark(format!("{strategy} ({bundle}) is verified; starting it"));
    let line = wait(deployment, places)?;
    if line.state == DeploymentState::Failed {
        let code = line.code.unwrap_or_default();
        return Err(Failure::Finding { code, detail: line.detail.unwrap_or_default() });
    }
    if as_json {
        output::json(&json!({
            "ok": true,
            "deployment": line.id,
            "strategy": line.strategy,
            "bundle": line.bundle,
            "digest": line.digest,
            "state": line.state,
        }));
    } else {
        output::text(format!("{} ({}) runs", line.strategy, line.bundle));
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops a strategy for good.
pub(crate) fn stop(strategy: &str, places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    let request = ControlRequest::Stop { strategy: strategy.to_owned(), actor: None };
    let ControlReply::Done { detail } = done(operate::ask_patiently(places, &request)?)? else {
        return Err(unexpected());
    };
    if as_json {
        output::json(&json!({"ok": true, "detail": detail}));
    } else {
        output::text(detail);
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists the strategies.
pub(crate) fn list(places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    let ControlReply::Status(status) = done(operate::ask(places, &ControlRequest::Status {})?)? else {
        return Err(unexpected());
    };
    let strategies = status.strategies;
    if as_json {
        output::json(&json!({"strategies": strategies}));
    } else if strategies.is_empty() {
        output::text("no strategies");
    } else {
        strategies.iter().for_each(print);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(strategy: &StrategyLine) {
    output::text(format!(
        "{:<20} {:<12} {:<28} {}",
        strategy.name,
        strategy.state,
        strategy.bundle,
        strategy.last_fault.clone().unwrap_or_else(|| strategy.symbols.join(" "))
    ));
}

/// Copies a bundle to where the gateway takes it from, under a name of its own.
fn upload(file: &Path, dir: &Path) -> Result<(PathBuf, UploadName), Failure> {
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|opened| opened.take(BUNDLE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", file.display()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > BUNDLE_BYTES_MAX) {
        let detail = format!("{} is larger than a bundle can be ({BUNDLE_BYTES_MAX} bytes)", file.display());
        return Err(Failure::finding("BUNDLE_TOO_LARGE", detail));
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    let name: UploadName =
        format!("cli-{}.strategy", hex::encode(random)).parse().map_err(anyhow::Error::new)?;
    let folder = dir.join(INCOMING);
    let copy = folder.join(name.as_str());
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        // A bundle is no secret, and the gateway may be another user than whoever runs this.
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&copy)?;
        out.write_all(&bytes)?;
        out.sync_all()
    };
    write().with_context(|| format!("cannot write {}", copy.display()))?;
    Ok((copy, name))
}

fn wait(id: u64, places: &Places) -> Result<DeploymentLine, Failure> {
    let asked = Instant::now();
    loop {
        let reply = operate::ask(places, &ControlRequest::Deployment { id })?;
        let ControlReply::Deployment(line) = done(reply)? else { return Err(unexpected()) };
        if line.state.is_final() {
            return Ok(line);
        }
        if asked.elapsed() > PATIENCE {
            return Err(Failure::finding(
                "NOT_IN_TIME",
                format!("{} is still {}", line.strategy, line.state.as_str()),
            ));
        }
        std::thread::sleep(ASK_EVERY);
    }
}

/// The answer, unless it is a refusal.
fn done(reply: ControlReply) -> Result<ControlReply, Failure> {
    if let ControlReply::Error { code, detail } = reply {
        return Err(Failure::Finding { code, detail });
    }
    Ok(reply)
}

fn unexpected() -> Failure {
    Failure::Environment(anyhow::anyhow!("the gateway answered another question"))
}
