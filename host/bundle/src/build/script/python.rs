//! Python: `[tool.portcullis]` of `pyproject.toml` names the strategy's class and where modules are found.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::super::process::run;
use super::super::{BuildError, BuildNotice, BuildRequest, Built, Toolchain};
use super::project::{Project, canonical, not_a_project};
use super::tools::{Toolbox, ask, command};
use super::{Workshop, make, read, write};

const FIX: &str = "install Python 3 with venv: on Debian `apt-get install python3-venv`";

const TOOLBOX: Toolbox = Toolbox {
    name: "python",
    what: "componentize-py with pip",
    files: &[("requirements.txt", include_str!("python/requirements.txt"))],
};

/// Most modules a strategy may consist of, the SDK's included.
const MODULES_MAX: usize = 10_000;

/// The module that the component starts from.
const ENTRY: &str = "portcullis_component";

/// What is read of a `pyproject.toml`.
#[derive(Deserialize)]
struct PyProject {
    project: ProjectTable,
    tool: ToolTable,
}

#[derive(Deserialize)]
struct ProjectTable {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct ToolTable {
    portcullis: PortcullisTable,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PortcullisTable {
    /// `module:Class`.
    strategy: String,
    /// Folders in which modules are looked for, the SDK's among them.
    python_path: Vec<PathBuf>,
}

/// Builds the project of a `pyproject.toml`.
pub(in super::super) fn build(
    request: &BuildRequest,
    notice: &mut dyn FnMut(BuildNotice<'_>),
) -> Result<Built, BuildError> {
    let file = canonical(&request.manifest_path)?;
    let stated: PyProject = toml::from_str(&Project::read(&file)?).map_err(|error| {
        let needs = "it needs project.name, project.version, tool.portcullis.strategy and tool.portcullis.python-path";
        not_a_project(&file, format!("{}; {needs}", error.message()))
    })?;
    let project = Project::new(&file, &stated.project.name, &stated.project.version)?;
    let entry = entry(&stated.tool.portcullis.strategy).ok_or_else(|| {
        not_a_project(&file, "tool.portcullis.strategy is not written module:Class".to_owned())
    })?;

    let python = python()?;
    let toolchain = Toolchain::Python { python: python.clone() };
    notice(BuildNotice::Toolchain(&toolchain));
    let tools = TOOLBOX.open(
        &project.target(request)?,
        &python,
        |folder| {
            let mut venv = command("python3", folder);
            venv.args(["-m", "venv", "venv"]);
            let mut pip = command(folder.join("venv/bin/python"), folder);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
            pip.args(["--only-binary", ":all:", "--requirement", "requirements.txt"]);
            vec![venv, pip]
        },
        notice,
    )?;

    let workshop = Workshop::open(&project, request)?;
    let app = workshop.folder.join("app");
    make(&app)?;
    write(&app.join(format!("{ENTRY}.py")), entry.as_bytes())?;
    let path = stated.tool.portcullis.python_path.iter().map(|folder| project.folder.join(folder));
    let path: Vec<_> = path.chain([app]).collect();
    let mut made_of = Sha256::new().chain_update(tools.digest);
    for module in modules(&path)? {
        made_of.update(format!("\0{}\0", module.display()));
        made_of.update(Sha256::digest(read(&module)?));
    }
    let component = workshop.component(&made_of, |output| {
        let venv = tools.folder.join("venv");
        let mut componentize = command(venv.join("bin/componentize-py"), &workshop.folder);
        // Python's own variables, and any other environment, would bring in modules that nobody named.
        componentize.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env("VIRTUAL_ENV", &venv);
        componentize.arg("--wit-path").arg(&workshop.wit).args(["--world", "strategy", "--quiet"]);
        componentize.args(["componentize", "--stub-wasi", ENTRY, "--output"]).arg(output);
        for folder in &path {
            componentize.arg("--python-path").arg(folder);
        }
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

/// The module that ties the strategy to the SDK. None if `strategy` is not `module:Class`: it becomes code.
fn entry(strategy: &str) -> Option<String> {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let (module, class) = strategy.split_once(':')?;
    let fits = module.split('.').all(word) && word(class);
    fits.then(|| {
        format!(
            "from {module} import {class} as Strategy\n\
             from portcullis.component import component\n\n\
             Guest = component(Strategy)\n"
        )
    })
}

/// Python's version, once it can make environments.
fn python() -> Result<String, BuildError> {
    ask("python3", &["-c", "import ensurepip, venv"], FIX)?;
    ask("python3", &["--version"], FIX)
}

/// Every module below the folders, in a fixed order.
fn modules(folders: &[PathBuf]) -> Result<Vec<PathBuf>, BuildError> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = folders.to_vec();
    while let Some(folder) = left.pop() {
        let unreadable = |source| BuildError::Unreadable { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
            if kind.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.push(path);
            }
            if found.len() > MODULES_MAX {
                return Err(not_a_project(
                    Path::new("pyproject.toml"),
                    format!("more than {MODULES_MAX} modules on its python-path"),
                ));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_takes_names_and_nothing_else() {
        assert!(
            entry("pack.ema_cross:EmaCross")
                .unwrap()
                .starts_with("from pack.ema_cross import EmaCross as Strategy\n")
        );
        for text in ["ema_cross", "ema_cross:", ":X", "a:B:C", "a b:C", "a:C\nimport os", "a..b:C", "1a:C"] {
            assert_eq!(entry(text), None, "{text:?}");
        }
    }
}
