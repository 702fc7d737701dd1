//! `DIR/deployments.toml`: the strategies deployed while the gateway ran, which are started again with it.

use std::io;
use std::sync::Arc;

use portcullis_role::Folder;
use serde::{Deserialize, Serialize};

use crate::config::{self, StrategyConfig};
use crate::failure::Failure;
use crate::gateway::launch_error::LaunchError;

/// The file in the data directory.
const FILE: &str = "deployments.toml";

const HEAD: &str = "# Strategies deployed while the gateway ran; they start with it. The gateway writes this file: change it with\n\
                    # `portcullis strategy start` and `portcullis strategy stop`.\n\n";

/// The deployed strategies.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployments {
    #[serde(default, rename = "strategy")]
    strategies: Vec<StrategyConfig>,
}

/// The file's text, and where it goes.
#[derive(Debug)]
pub(crate) struct Draft {
    data: Arc<Folder>,
    text: String,
}

impl Draft {
    /// Replaces the file, durably.
    pub(crate) fn write(&self) -> io::Result<()> {
        self.data.replace(FILE, self.text.as_bytes())
    }
}

impl Deployments {
    /// Reads the file; none is there before the first deployment. A name of the `configured` ones must not occur.
    pub(crate) fn load(data: &Folder, configured: &[StrategyConfig]) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::Usage(format!("{}: {what}", data.path(FILE).display()));
        let bytes = match data.read(FILE, config::BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
            Ok(None) => return Err(wrong(format!("more than {} bytes", config::BYTES_MAX))),
            Ok(Some(bytes)) => bytes,
        };
        let deployments: Self = toml::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let all: Vec<&StrategyConfig> = configured.iter().chain(&deployments.strategies).collect();
        let violations = config::strategy_violations(&all);
        if violations.is_empty() { Ok(deployments) } else { Err(wrong(violations.join("; "))) }
    }

    /// The strategies.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &StrategyConfig> {
        self.strategies.iter()
    }

    /// Whether one has this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.strategies.iter().any(|strategy| strategy.name == name)
    }

    /// Adds a strategy, unless the file would become longer than is read back.
    pub(crate) fn add(&mut self, strategy: StrategyConfig) -> Result<(), LaunchError> {
        let mut after = self.clone();
        after.strategies.push(strategy);
        let text = after.text()?;
        if u64::try_from(text.len()).is_ok_and(|length| length <= config::BYTES_MAX) {
            *self = after;
            Ok(())
        } else {
            let detail =
                format!("{FILE} would be longer than {} bytes; stop a strategy first", config::BYTES_MAX);
            Err(LaunchError::new("TOO_MANY_DEPLOYMENTS", detail))
        }
    }

    /// Removes a strategy; false when there is none of the name.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.strategies.len();
        self.strategies.retain(|strategy| strategy.name != name);
        self.strategies.len() < before
    }

    /// The file as it is to be written now.
    pub(crate) fn draft(&self, data: &Arc<Folder>) -> Result<Draft, LaunchError> {
        Ok(Draft { data: Arc::clone(data), text: self.text()? })
    }

    fn text(&self) -> Result<String, LaunchError> {
        let body = toml::to_string(self).map_err(|error| LaunchError::new("NOT_SAVED", error))?;
        Ok(format!("{HEAD}{body}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    fn strategy(name: &str) -> StrategyConfig {
        StrategyConfig {
            name: name.to_owned(),
            bundle: "bundles/grid-1.0.0-01234567.strategy".into(),
            budget: "100".to_owned(),
            cell: Some("trusted".to_owned()),
            parameters: [("size".to_owned(), "0.1".to_owned())].into(),
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let data = Arc::new(Folder::open(dir.path()).unwrap());
        let mut deployments = Deployments::load(&data, &[]).unwrap();
        deployments.add(strategy("a")).unwrap();
        deployments.add(strategy("b")).unwrap();
        assert!(deployments.remove("a") && !deployments.remove("a"));
        deployments.draft(&data).unwrap().write().unwrap();
        let read = Deployments::load(&data, &[strategy("c")]).unwrap();
        let names: Vec<&str> = read.iter().map(|strategy| strategy.name.as_str()).collect();
        assert_eq!(names, ["b"]);
        assert_eq!(read.iter().next().unwrap().cell.as_deref(), Some("trusted"));
        assert!(Deployments::load(&data, &[strategy("b")]).is_err(), "a configured one of the same name");
    }

    #[test]
    fn a_broken_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for text in
            ["strategy = 5", "[[strategy]]\nname = \"Bad Name\"\nbundle = \"x\"\nbudget = \"1\"\n", "\u{0}"]
        {
            std::fs::write(dir.path().join(FILE), text).unwrap();
            let error = Deployments::load(&Folder::open(dir.path()).unwrap(), &[]).unwrap_err();
            assert!(matches!(error, Failure::Usage(_)), "{error}");
            assert!(error.to_string().contains(FILE), "{error}");
        }
    }

    #[test]
    fn the_file_never_outgrows_what_is_read() {
        let mut deployments = Deployments::default();
        let long = StrategyConfig { budget: "1".repeat(100_000), ..strategy("a") };
        deployments.add(long.clone()).unwrap();
        deployments.add(long.clone()).unwrap();
        assert_eq!(deployments.add(long).unwrap_err().code, "TOO_MANY_DEPLOYMENTS");
        assert_eq!(deployments.iter().count(), 2);
    }
}
