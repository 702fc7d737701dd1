//! What a payload is told, in place of an artifact: what there is to attack, and which attempt it is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The magic and two digests.
const HEADER_BYTES: usize = 72;

/// How far the payload lets itself be confined before it attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A cell at work: where guest code runs.
    Work,
    /// A cell that loads its artifact: no guest code has run yet.
    Loading,
    /// Between `exec` and the first line of the cell's role: what the runner hands down.
    Handed,
    /// A child split off, as backtests are.
    Lab,
    /// Takes part in a live session, and escapes with its first frame.
    Live,
}

/// The surroundings of an attempt.
#[derive(Debug, Clone)]
pub struct World {
    pub stage: Stage,
    pub attempt: String,
    /// A directory with everything below in it.
    pub directory: PathBuf,
    /// A file that only its owner may read.
    pub key: PathBuf,
    /// A socket on which an operator gives orders.
    pub control: PathBuf,
    /// The process that runs the tests, in place of the gateway.
    pub gateway: i32,
    /// Another cell of the same runner.
    pub sibling: i32,
    /// The payload and its parent, looked up before that takes a call it does not have.
    pub own: i32,
    pub parent: i32,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Work => "work",
            Self::Loading => "loading",
            Self::Handed => "handed",
            Self::Lab => "lab",
            Self::Live => "live",
        })
    }
}

impl FromStr for Stage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Work, Self::Loading, Self::Handed, Self::Lab, Self::Live]
            .into_iter()
            .find(|stage| stage.to_string() == text)
            .ok_or(())
    }
}

impl World {
    /// As lines, where the code of an artifact would be.
    pub fn to_artifact(&self) -> Vec<u8> {
        let Self { stage, attempt, directory, key, control, gateway, sibling, .. } = self;
        let paths = [directory, key, control].map(|path| path.display().to_string()).join("\n");
        let mut bytes = b"PCARTIF1".to_vec();
        bytes.resize(HEADER_BYTES, 0);
        bytes.extend(format!("{stage}\n{attempt}\n{paths}\n{gateway}\n{sibling}\n").into_bytes());
        bytes
    }

    /// From [`to_artifact`](Self::to_artifact); nothing from an artifact with code.
    pub fn parse(artifact: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(artifact.get(HEADER_BYTES..)?).ok()?.lines();
        Some(Self {
            stage: lines.next()?.parse().ok()?,
            attempt: lines.next()?.to_owned(),
            directory: lines.next()?.into(),
            key: lines.next()?.into(),
            control: lines.next()?.into(),
            gateway: lines.next()?.parse().ok()?,
            sibling: lines.next()?.parse().ok()?,
            own: std::process::id() as i32,
            parent: std::os::unix::process::parent_id() as i32,
        })
    }
}
