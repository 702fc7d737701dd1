//! What a project's own file says about it: `package.json` or `pyproject.toml`.

use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;

use super::super::{BuildError, BuildRequest};
use crate::BundleName;
use crate::file::read_bounded;

/// Longest project file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A strategy's project.
pub(super) struct Project {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Name of the package, and so of the strategy and of files of the build.
    pub(super) name: BundleName,
    /// Version of the package.
    pub(super) version: Version,
}

impl Project {
    /// The text of the project's file.
    pub(super) fn read(file: &Path) -> Result<String, BuildError> {
        let bytes =
            read_bounded(file, FILE_BYTES_MAX).map_err(|error| not_a_project(file, error.to_string()))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| not_a_project(file, "it is not UTF-8".to_owned()))
    }

    /// A project whose `file` states this name and version.
    pub(super) fn new(file: &Path, name: &str, version: &str) -> Result<Self, BuildError> {
        let name = name.parse().map_err(|error| not_a_project(file, format!("its name: {error}")))?;
        let version =
            version.parse().map_err(|error| not_a_project(file, format!("its version: {error}")))?;
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Self { folder, name, version })
    }

    /// Where the build goes: the folder that was asked for, else `target/guest` of the repository around the project, else of
    /// the project.
    pub(super) fn target(&self, request: &BuildRequest) -> Result<PathBuf, BuildError> {
        if let Some(target) = &request.target_dir {
            return std::path::absolute(target)
                .map_err(|source| BuildError::Unwritable { path: target.clone(), source });
        }
        let repository = self.folder.ancestors().find(|folder| folder.join(".git").exists());
        Ok(repository.unwrap_or(&self.folder).join("target/guest"))
    }
}

/// The project's file with its whole path.
pub(super) fn canonical(file: &Path) -> Result<PathBuf, BuildError> {
    fs::canonicalize(file).map_err(|source| not_a_project(file, source.to_string()))
}

pub(super) fn not_a_project(file: &Path, detail: String) -> BuildError {
    BuildError::NotAProject { file: file.to_owned(), detail }
}
