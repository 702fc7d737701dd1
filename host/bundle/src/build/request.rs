//! What is built, and what comes of it.

use std::path::{Path, PathBuf};

use super::compile_crate::build_crate;
use super::script::{build_javascript, build_python};
use super::{BuildError, Toolchain};

/// What to build, and how.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The project's file: `Cargo.toml`, `package.json` or `pyproject.toml`.
    pub manifest_path: PathBuf,
    /// Where the tools keep what they build. `None`: `target/guest` of the crate's workspace, or of the repository around a script.
    pub target_dir: Option<PathBuf>,
    /// Whether `Cargo.lock` must be up to date already; other lockfiles always must.
    pub locked: bool,
    /// Whether Debian's packages may be installed when no compiler is there and this is root on Debian.
    pub may_install: bool,
}

/// News of a build, for stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildNotice<'a> {
    /// The compiler has been chosen.
    Toolchain(&'a Toolchain),
    /// System packages are about to be installed.
    Installing(&'a [&'a str]),
    /// A script's tools are about to be installed in a folder of the build; this says which, and with what.
    InstallingTools(&'a str),
    /// A line that a tool printed.
    Line(&'a str),
}

/// A finished build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The component. It has not been through [`admit`](crate::admit) yet.
    pub component: Vec<u8>,
    /// The package's name.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The compiler used.
    pub toolchain: Toolchain,
    /// The core module that cargo made, or a script's component, inside the target directory.
    pub module: PathBuf,
}

impl BuildRequest {
    /// The file that makes `folder` a strategy's project: the first of `Cargo.toml`, `package.json` and `pyproject.toml` that is
    /// there, and the first of them all if none is.
    pub fn project_file(folder: &Path) -> PathBuf {
        let [crate_file, ..] = PROJECT_FILES;
        let found = PROJECT_FILES.iter().find(|name| folder.join(name).exists());
        folder.join(found.unwrap_or(&crate_file))
    }
}

/// Files that make a folder a project, in the order in which they are looked for.
const PROJECT_FILES: [&str; 3] = ["Cargo.toml", "package.json", "pyproject.toml"];

/// Builds the project at `request.manifest_path` to a component; what did not change is not built again.
///
/// A crate is built by cargo; see [`Toolchain`]. A script is built by the pinned tools of its language, which are installed below
/// the target directory first if they are not there.
///
/// # Errors
///
/// [`BuildError`]; a failed compilation is [`BuildError::ToolFailed`] with the end of the tool's output.
pub fn build_strategy(
    request: &BuildRequest,
    notice: &mut dyn FnMut(BuildNotice<'_>),
) -> Result<Built, BuildError> {
    match request.manifest_path.file_name().and_then(|name| name.to_str()) {
        Some("package.json") => build_javascript(request, notice),
        Some("pyproject.toml") => build_python(request, notice),
        Some(_) | None => build_crate(request, notice),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refused(file: &str, contents: &str) -> BuildError {
        let folder = tempfile::tempdir().unwrap();
        let manifest_path = folder.path().join(file);
        fs::write(&manifest_path, contents).unwrap();
        let request = BuildRequest { manifest_path, target_dir: None, locked: false, may_install: false };
        build_strategy(&request, &mut |_| {}).unwrap_err()
    }

    #[test]
    fn the_file_that_is_there_says_the_language() {
        let folder = tempfile::tempdir().unwrap();
        let found = || BuildRequest::project_file(folder.path()).file_name().unwrap().to_owned();
        assert_eq!(found(), "Cargo.toml");
        for name in ["pyproject.toml", "package.json", "Cargo.toml"] {
            fs::write(folder.path().join(name), "").unwrap();
            assert_eq!(found(), name);
        }
    }

    #[test]
    fn what_does_not_describe_a_strategy_is_refused_before_anything_is_started() {
        let tool = "[tool.portcullis]\npython-path = [\"src\"]\nstrategy";
        for (file, contents, words) in [
            ("package.json", "{", "main, a module with the strategy"),
            ("package.json", r#"{"name": "x", "version": "0.1.0"}"#, "main"),
            ("package.json", r#"{"name": "../x", "version": "0.1.0", "main": "x.js"}"#, "kebab-case"),
            ("package.json", r#"{"name": "x", "version": "one", "main": "x.js"}"#, "version"),
            ("pyproject.toml", "[project]\nname = \"x\"\nversion = \"0.1.0\"\n", "tool.portcullis.strategy"),
            (
                "pyproject.toml",
                &format!("[project]\nname = \"x\"\nversion = \"0.1.0\"\n{tool} = \"x\"\n"),
                "module:Class",
            ),
        ] {
            let error = refused(file, contents);
            assert_eq!(error.code(), "NOT_A_PROJECT", "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
