//! The checkpoint file: how long the journal is known to be.
//!
//! Written when the journal is opened, when a segment is full and at a clean shutdown. What it promises can no longer pass for
//! a torn tail, and after a clean shutdown nothing at all can (RULES J2a).

use portcullis_core::{Digest, Environment};

use crate::Epoch;
use crate::link::environment_of;

const TITLE: &str = "portcullis-journal 1";

/// What the checkpoint file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) environment: Environment,
    pub(crate) epoch: Epoch,
    /// Entries known to be durable.
    pub(crate) size: u64,
    /// Leaf of the last of them; zero when there is none.
    pub(crate) head: Digest,
    /// Whether the journal was closed after it, so that it has exactly `size` entries.
    pub(crate) clean: bool,
}

impl Checkpoint {
    /// Six lines of text, the same for the same values.
    pub(crate) fn encode(&self) -> String {
        format!(
            "{TITLE}\nenvironment {}\nepoch {}\nsize {}\nhead {}\nstate {}\n",
            self.environment.letter(),
            self.epoch,
            self.size,
            self.head,
            if self.clean { "closed" } else { "open" },
        )
    }

    /// Reads exactly what [`encode`](Self::encode) writes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        field("portcullis-journal")?;
        let letter = field("environment")?;
        let checkpoint = Self {
            environment: environment_of(*letter.as_bytes().first()?)?,
            epoch: Epoch::new(field("epoch")?.parse().ok()?)?,
            size: field("size")?.parse().ok()?,
            head: Digest(hex::decode(field("head")?).ok()?.try_into().ok()?),
            clean: field("state")? == "closed",
        };
        (checkpoint.encode() == text).then_some(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_text_is_read() {
        let checkpoint = Checkpoint {
            environment: Environment::Paper,
            epoch: Epoch::FIRST,
            size: 12,
            head: Digest([7; 32]),
            clean: true,
        };
        let text = checkpoint.encode();
        assert_eq!(Checkpoint::decode(text.as_bytes()), Some(checkpoint));
        for changed in [
            text.replace("12", "012"),
            text.replace("closed", "shut"),
            format!("{text}\n"),
            text.to_uppercase(),
        ] {
            assert_eq!(Checkpoint::decode(changed.as_bytes()), None, "{changed}");
        }
    }
}
