//! Where the daemon's files and sockets lie.

use std::path::{Path, PathBuf};

/// The data directory of an installation.
const INSTALLED_DATA: &str = "/var/lib/portcullis";

/// Where an installation's sockets lie: they outlive no boot, and the data directory is not for everyone who may ask.
const INSTALLED_SOCKETS: &str = "/run/portcullis";

/// The directories of one gateway and those who talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    data: PathBuf,
    sockets: PathBuf,
}

impl Places {
    /// From `--dir` and `--run-dir`. A data directory that was named holds the sockets too, unless they were given a place of
    /// their own; without either, both are those of an installation.
    pub(crate) fn new(dir: Option<&Path>, run_dir: Option<&Path>) -> Self {
        let sockets = run_dir.or(dir).unwrap_or(Path::new(INSTALLED_SOCKETS));
        Self { data: dir.unwrap_or(Path::new(INSTALLED_DATA)).to_owned(), sockets: sockets.to_owned() }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The directory of the sockets.
    pub(crate) fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// Where the gateway answers operators and the console.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.sockets.join("control.sock")
    }

    /// Where the sentinel answers the gateway and operators.
    pub(crate) fn sentinel_socket(&self) -> PathBuf {
        self.sockets.join("sentinel.sock")
    }

    /// Where the signer answers the gateway, and the sentinel.
    pub(crate) fn signer_sockets(&self) -> [PathBuf; 2] {
        let directory = self.sockets.join("signer");
        [directory.join("gateway.sock"), directory.join("sentinel.sock")]
    }

    /// Where the signer's own settings lie in a directory that holds everything.
    pub(crate) fn signer_config(&self) -> PathBuf {
        self.data.join("keys").join("signer.toml")
    }

    /// Where the runner answers the gateway. It has a directory of its own, which can be given to the runner without the
    /// control socket beside it: a cell that breaks out must find nothing to give orders to.
    pub(crate) fn runner_socket(&self) -> PathBuf {
        self.sockets.join("runner").join("runner.sock")
    }

    /// The options that give a child process the same places.
    pub(crate) fn arguments(&self) -> [String; 4] {
        let text = |path: &Path| path.display().to_string();
        ["--dir".to_owned(), text(&self.data), "--run-dir".to_owned(), text(&self.sockets)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_data_directory_holds_the_sockets() {
        let places = Places::new(Some(Path::new("here")), None);
        assert_eq!(places.control_socket(), Path::new("here/control.sock"));
        assert_eq!(places.runner_socket(), Path::new("here/runner/runner.sock"));
    }

    #[test]
    fn sockets_may_lie_elsewhere() {
        let places = Places::new(Some(Path::new("here")), Some(Path::new("there")));
        assert_eq!(places.data(), Path::new("here"));
        assert_eq!(places.control_socket(), Path::new("there/control.sock"));
    }

    #[test]
    fn an_installation_needs_no_options() {
        let places = Places::new(None, None);
        assert_eq!(places.data(), Path::new("/var/lib/portcullis"));
        assert_eq!(places.control_socket(), Path::new("/run/portcullis/control.sock"));
    }
}
