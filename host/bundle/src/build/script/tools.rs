//! The pinned tools of a language, installed once in a folder of the build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::super::process::run;
use super::super::{BuildError, BuildNotice};
use super::{FOLDER, make, unwritable, wait_for_turn, write};

/// What a language needs on this machine.
pub(super) struct Toolbox {
    /// Name of the folder.
    pub(super) name: &'static str,
    /// What installs them, for people.
    pub(super) what: &'static str,
    /// Files that name the tools and those that use them: name and contents.
    pub(super) files: &'static [(&'static str, &'static str)],
}

/// Tools that are there.
pub(super) struct Tools {
    pub(super) folder: PathBuf,
    /// Changes with the tools.
    pub(super) digest: [u8; 32],
}

impl Toolbox {
    /// The tools below `target`. They are installed by the commands that `install` makes for the folder, unless they are there.
    /// `interpreter` is the version of what runs them, since the tools of one may not run under another.
    pub(super) fn open(
        &self,
        target: &Path,
        interpreter: &str,
        install: impl FnOnce(&Path) -> Vec<Command>,
        notice: &mut dyn FnMut(BuildNotice<'_>),
    ) -> Result<Tools, BuildError> {
        let mut hasher = Sha256::new().chain_update(interpreter);
        for (name, contents) in self.files {
            hasher.update(format!("\0{name}\0{contents}"));
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let short = hex::encode(digest.get(..8).unwrap_or_default());
        let all = target.join(FOLDER).join("tools");
        let folder = all.join(format!("{}-{short}", self.name));
        let complete = folder.join("complete");
        make(&all)?;
        let _turn = wait_for_turn(&all)?;
        if complete.exists() {
            return Ok(Tools { folder, digest });
        }
        notice(BuildNotice::InstallingTools(self.what));
        // Without the mark it is what an interrupted set-up left.
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(unwritable(&folder))?;
        }
        make(&folder)?;
        for (name, contents) in self.files {
            write(&folder.join(name), contents.as_bytes())?;
        }
        for command in install(&folder) {
            run(command, &mut |line| notice(BuildNotice::Line(line)))?;
        }
        write(&complete, b"")?;
        Ok(Tools { folder, digest })
    }
}

/// A command in `folder` that reads nothing from its terminal.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// What a program answers to `arguments`, or why it is not fit: `fix` says what to install.
pub(super) fn ask(
    program: &'static str,
    arguments: &[&str],
    fix: &'static str,
) -> Result<String, BuildError> {
    let unfit = |detail: String| BuildError::LanguageMissing { program, detail, fix };
    let output = command(program, Path::new("/"))
        .args(arguments)
        .output()
        .map_err(|error| unfit(format!("it cannot be started: {error}")))?;
    if !output.status.success() {
        let detail = String::from_utf8_lossy(&output.stderr);
        return Err(unfit(detail.lines().last().unwrap_or("it failed").to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
