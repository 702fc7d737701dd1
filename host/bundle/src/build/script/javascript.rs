//! JavaScript: `package.json` names the module whose default export is the strategy's class.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use super::super::process::run;
use super::super::{BuildError, BuildNotice, BuildRequest, Built, Toolchain};
use super::project::{Project, canonical, not_a_project};
use super::tools::{Toolbox, ask, command};
use super::{Workshop, read};

/// Oldest Node that the tools run on.
const NODE_MAJOR_MIN: u32 = 20;

const FIX: &str = "install Node 20 or later with npm: on Debian 13 or later `apt-get install nodejs npm`";

const TOOLBOX: Toolbox = Toolbox {
    name: "javascript",
    what: "componentize-js and esbuild with npm",
    files: &[
        ("package.json", include_str!("javascript/package.json")),
        ("package-lock.json", include_str!("javascript/package-lock.json")),
        ("bundle.mjs", include_str!("javascript/bundle.mjs")),
        ("componentize.mjs", include_str!("javascript/componentize.mjs")),
    ],
};

/// What is read of a `package.json`.
#[derive(Deserialize)]
struct PackageJson {
    name: String,
    version: String,
    main: PathBuf,
    #[serde(default)]
    dependencies: BTreeMap<String, IgnoredAny>,
}

/// Builds the project of a `package.json`.
pub(in super::super) fn build(
    request: &BuildRequest,
    notice: &mut dyn FnMut(BuildNotice<'_>),
) -> Result<Built, BuildError> {
    let file = canonical(&request.manifest_path)?;
    let package: PackageJson = serde_json::from_str(&Project::read(&file)?).map_err(|error| {
        not_a_project(&file, format!("{error}; it needs name, version and main, a module with the strategy"))
    })?;
    let project = Project::new(&file, &package.name, &package.version)?;

    let node = node()?;
    let toolchain = Toolchain::JavaScript { node: node.clone() };
    notice(BuildNotice::Toolchain(&toolchain));
    let target = project.target(request)?;
    let tools = TOOLBOX.open(&target, &node, |folder| vec![npm(folder)], notice)?;
    let workshop = Workshop::open(&project, request)?;
    if !package.dependencies.is_empty() && !project.folder.join("node_modules").exists() {
        run(npm(&project.folder), &mut |line| notice(BuildNotice::Line(line)))?;
    }

    let module = workshop.folder.join("strategy.js");
    let mut bundle = script(&tools.folder, "bundle.mjs");
    bundle.arg(project.folder.join(&package.main)).arg(&module);
    run(bundle, &mut |line| notice(BuildNotice::Line(line)))?;
    let made_of = Sha256::new().chain_update(tools.digest).chain_update(read(&module)?);
    let component = workshop.component(&made_of, |output| {
        let mut componentize = script(&tools.folder, "componentize.mjs");
        componentize.arg(&module).arg(&workshop.wit).arg(output);
        run(componentize, &mut |line| notice(BuildNotice::Line(line))).map(drop)
    })?;
    Ok(Built {
        component,
        package: project.name.to_string(),
        version: project.version.to_string(),
        toolchain,
        module: workshop.component,
    })
}

/// Node's version, once it is new enough and npm is beside it.
fn node() -> Result<String, BuildError> {
    let version = ask("node", &["--version"], FIX)?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR_MIN) {
        let detail = format!("it is {version}, {NODE_MAJOR_MIN} or later is needed");
        return Err(BuildError::LanguageMissing { program: "node", detail, fix: FIX });
    }
    ask("npm", &["--version"], FIX)?;
    Ok(version)
}

/// Installs exactly what the lockfile in `folder` names, and runs no script of it.
fn npm(folder: &Path) -> Command {
    let mut npm = command("npm", folder);
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    npm
}

fn script(tools: &Path, name: &str) -> Command {
    let mut node = command("node", tools);
    node.arg(tools.join(name));
    node
}
