//! `strategy build | sign | check`: from an author's crate to a bundle a host takes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use portcullis_bundle::{
    BuildNotice, BuildRequest, BundleSource, Inadmissible, Tier, TrustRoot, UnixSeconds, admit,
    build_strategy, inspect, open, read_secret_key, sign,
};
use portcullis_core::Environment;
use serde_json::json;

use super::replay_fault;
use crate::cli::Author;
use crate::failure::Failure;
use crate::{clock, output};

/// Memory ceiling assumed when a bare component is checked without its manifest: the largest a manifest may ask for.
const MEMORY_BYTES_MAX: u64 = 64 << 20;

/// Runs a `strategy` command that needs no gateway.
pub(crate) fn run(command: &Author, dir: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        Author::Build { path, out } => build(path, out.as_deref(), as_json),
        Author::Sign { component, manifest, key, out } => {
            sign_bundle(component, manifest, key, out.as_deref(), as_json)
        }
        Author::Check { file, root, env } => {
            check(file, &root.clone().unwrap_or_else(|| dir.join("root.json")), env, as_json)
        }
        Author::ReplayFault { file, bundle } => replay_fault::run(file, bundle.as_deref(), dir, as_json),
    }
}

/// Builds the strategy in `path`, says on stderr how, and returns the component and where it was written.
pub(crate) fn build_component(path: &Path, out: Option<&Path>) -> Result<(Vec<u8>, PathBuf), Failure> {
    let request = BuildRequest {
        manifest_path: BuildRequest::project_file(path),
        target_dir: None,
        locked: false,
        may_install: true,
    };
    let built = build_strategy(&request, &mut |notice| match notice {
        BuildNotice::Toolchain(toolchain) => {
            output::remark(format!("building {} with {toolchain}", path.display()))
        }
        BuildNotice::Installing(packages) => {
            output::remark(format!(
                "installing {} with apt-get, because no compiler for wasm32 is here",
                packages.join(" ")
            ));
        }
        BuildNotice::InstallingTools(what) => output::remark(format!("installing {what}, once")),
        BuildNotice::Line(line) => output::remark(line),
    })
    .map_err(|error| Failure::Environment(error.into()))?;
    let file = out.map_or_else(
        || built.module.with_file_name(format!("{}.component.wasm", built.package)),
        Path::to_owned,
    );
    write(&file, &built.component)?;
    Ok((built.component, file))
}

fn build(path: &Path, out: Option<&Path>, as_json: bool) -> Result<ExitCode, Failure> {
    let (component, file) = build_component(path, out)?;
    let size = component.len();
    if as_json {
        output::json(&json!({"ok": true, "component": file, "bytes": size}));
    } else {
        output::text(format!("{} ({size} bytes)", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn sign_bundle(
    component: &Path,
    manifest: &Path,
    keys: &[PathBuf],
    out: Option<&Path>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let source = BundleSource::load(manifest).map_err(|error| Failure::finding(error.code(), &error))?;
    let mut secrets = Vec::new();
    for key in keys {
        secrets.push(read_secret_key(key).map_err(|error| Failure::finding(error.code(), &error))?);
    }
    let bytes = read(component)?;
    let bundle = sign(&bytes, &source, UnixSeconds(clock::now_s()), &secrets.iter().collect::<Vec<_>>())
        .map_err(|error| Failure::finding(error.code(), &error))?;
    let file = out.map_or_else(
        || PathBuf::from(format!("{}-{}.strategy", source.name, source.version)),
        Path::to_owned,
    );
    write(&file, &bundle)?;
    let digest = inspect(&bundle).map_err(|error| Failure::finding(error.code(), &error))?.digest;
    if as_json {
        output::json(&json!({"ok": true, "bundle": file, "digest": digest.to_string()}));
    } else {
        output::text(format!("{} digest {digest}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path, root: &Path, environment: &str, as_json: bool) -> Result<ExitCode, Failure> {
    let environment: Environment = environment
        .parse()
        .map_err(|_| Failure::Usage(format!("--env {environment}: paper, testnet, demo or live")))?;
    let bytes = read(file)?;
    let (ok, code, detail, digest) = if bytes.starts_with(b"\0asm") {
        match tier_of(&bytes) {
            Ok(tier) => {
                let detail =
                    format!("a component the host would take in tier {tier}; sign it to make a bundle");
                (true, "OK", detail, None)
            }
            Err(error) => (false, error.code(), format!("{error}. {}", error.fix()), None),
        }
    } else {
        let trust = TrustRoot::load(root).map_err(|error| Failure::finding(error.code(), &error))?;
        match open(&bytes, &trust, environment, UnixSeconds(clock::now_s())) {
            Ok(bundle) => {
                let manifest = bundle.manifest();
                let detail = format!("{} {} for {environment}", manifest.name, manifest.version);
                (true, "OK", detail, Some(bundle.digest().to_string()))
            }
            Err(refusal) => (false, refusal.code(), format!("{refusal}. {}", refusal.fix()), None),
        }
    };
    if as_json {
        output::json(&json!({"ok": ok, "code": code, "detail": detail, "digest": digest}));
    } else {
        output::text(format!("{code}: {detail}"));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The strictest tier that takes a component without a manifest to name one. What every tier refuses is told as the first does.
pub(crate) fn tier_of(component: &[u8]) -> Result<Tier, Inadmissible> {
    admit(component, Tier::Native, MEMORY_BYTES_MAX).map(|admitted| admitted.tier).or_else(|refusal| {
        admit(component, Tier::Script, MEMORY_BYTES_MAX).map_or(Err(refusal), |admitted| Ok(admitted.tier))
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    Ok(std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?)
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    Ok(std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?)
}
