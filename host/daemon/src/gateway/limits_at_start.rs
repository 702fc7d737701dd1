//! The limits file against the limits in force when the gateway starts.
//!
//! Tighter ones are taken. Looser ones are not, because an edit of a file is one step and loosening takes two: they are set in the
//! running gateway, or accepted by their hash on the command line.

use portcullis_core::{Input, Limits, OperatorCommand};
use portcullis_role::Folder;

use crate::cli::AcceptLimits;
use crate::failure::Failure;
use crate::gateway::limits::{FILE, REASON_BYTES_MAX, checked_reason};
use crate::gateway::start::Live;

/// Where the limits in force are put when the file is refused, so that an operator can go back to them.
const IN_FORCE_FILE: &str = "limits.in-force.toml";

/// Digits of a hash that are enough to name a file.
const HASH_DIGITS: usize = 12;

/// Who accepts limits on the command line.
const ACTOR: &str = "command-line";

/// Bytes of the list of loosened keys that are journaled.
const LOOSENED_BYTES_MAX: usize = 512;

/// Looser limits that the operator accepts on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The beginning of the file's hash. Naming it keeps an option that stays in a unit file from waving later edits through.
    pub(crate) hash: String,
    pub(crate) reason: String,
}

impl Accepted {
    /// From the command line; `None` when nothing is accepted there.
    pub(crate) fn new(options: &AcceptLimits) -> Result<Option<Self>, Failure> {
        let (Some(hash), Some(reason)) = (&options.accept_limits, &options.accept_reason) else {
            return Ok(None);
        };
        let reason = checked_reason(reason).ok_or_else(|| {
            Failure::Usage(format!("--accept-reason must be 1 to {REASON_BYTES_MAX} bytes on one line"))
        })?;
        Ok(Some(Self { hash: hash.clone(), reason }))
    }
}

/// What is to be journaled at the start.
#[derive(Debug)]
pub(crate) struct Taken {
    note: Option<OperatorCommand>,
    limits: Option<Limits>,
}

impl Taken {
    /// Puts it in force.
    pub(crate) fn hand_in(self, pipeline: &mut Live) {
        if let Some(command) = self.note {
            pipeline.hand_in(Input::Operator { actor: ACTOR.to_owned(), command });
        }
        if let Some(limits) = self.limits {
            pipeline.hand_in(Input::Limits(Box::new(limits)));
        }
    }
}

/// Compares the file with what the journal has in force. `had_limits` without `in_force` is a text of another version, with which nothing
/// can be compared.
pub(crate) fn settle(
    data: &Folder,
    had_limits: bool,
    in_force: Option<&Limits>,
    file: Limits,
    accepted: Option<&Accepted>,
) -> Result<Taken, Failure> {
    let looser = match in_force {
        Some(old) if old.hash() == file.hash() => return Ok(Taken { note: None, limits: None }),
        Some(old) => {
            let changes = old.changes_to(&file).into_iter().filter(|change| change.loosens);
            changes.map(|change| change.to_string()).collect()
        }
        None if had_limits => vec!["everything: this version cannot read the limits in force".to_owned()],
        None => Vec::new(),
    };
    if looser.is_empty() {
        return Ok(Taken { note: None, limits: Some(file) });
    }
    let hash = file.hash().to_string();
    let named = |accepted: &&Accepted| accepted.hash.len() >= HASH_DIGITS && hash.starts_with(&accepted.hash);
    let loosened = looser.join("; ");
    if let Some(accepted) = accepted.filter(named) {
        let end = loosened.floor_char_boundary(LOOSENED_BYTES_MAX.min(loosened.len()));
        let note = OperatorCommand::SetLimits {
            hash: file.hash(),
            loosened: loosened.get(..end).unwrap_or_default().to_owned(),
            reason: accepted.reason.clone(),
            confirmed: true,
        };
        tracing::warn!(loosened, reason = accepted.reason, "looser limits are accepted on the command line");
        return Ok(Taken { note: Some(note), limits: Some(file) });
    }
    Err(refusal(data, in_force, &loosened, hash.get(..HASH_DIGITS).unwrap_or(&hash)))
}

fn refusal(data: &Folder, in_force: Option<&Limits>, loosened: &str, hash: &str) -> Failure {
    let file = data.path(FILE);
    let kept = in_force.and_then(|limits| {
        let kept = data.path(IN_FORCE_FILE);
        match data.replace(IN_FORCE_FILE, limits.text().as_bytes()) {
            Ok(()) => Some(kept),
            Err(error) => {
                tracing::warn!(%error, file = %kept.display(), "the limits in force cannot be written down");
                None
            }
        }
    });
    let back = kept.map_or_else(String::new, |kept| {
        format!(
            "put {} back in its place, start, and loosen with `portcullis limits set FILE --reason TEXT`; or ",
            kept.display()
        )
    });
    Failure::finding(
        "LIMITS_LOOSENED",
        format!(
            "{} is looser than the limits in force: {loosened}. Loosening takes two steps: {back}start once with \
             --accept-limits {hash} --accept-reason TEXT",
            file.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use portcullis_core::INSTALL_LIMITS;

    use super::*;

    fn limits(loss: &str) -> Limits {
        let to = format!("daily_loss_max = \"{loss}\"");
        Limits::parse(&INSTALL_LIMITS.replacen("daily_loss_max = \"500\"", &to, 1)).unwrap()
    }

    #[test]
    fn the_first_limits_and_tighter_ones_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let data = Folder::open(dir.path()).unwrap();
        let settle = |had, old: Option<&Limits>, new| super::settle(&data, had, old, new, None).unwrap();
        assert!(settle(false, None, limits("500")).limits.is_some());
        assert!(settle(true, Some(&limits("500")), limits("500")).limits.is_none());
        let tighter = settle(true, Some(&limits("500")), limits("400"));
        assert!(tighter.limits.is_some() && tighter.note.is_none());
    }

    #[test]
    fn looser_ones_are_refused_by_name_unless_accepted_by_hash() {
        let dir = tempfile::tempdir().unwrap();
        let data = Folder::open(dir.path()).unwrap();
        let (old, new) = (limits("500"), limits("600"));
        let settle =
            |accepted: Option<&Accepted>| super::settle(&data, true, Some(&old), new.clone(), accepted);
        let error = settle(None).unwrap_err();
        assert_eq!(error.code(), "LIMITS_LOOSENED");
        let hash = new.hash().to_string();
        for word in ["account.daily_loss_max 500 -> 600", "portcullis limits set", &hash[..12]] {
            assert!(error.to_string().contains(word), "{word} in {error}");
        }
        assert_eq!(std::fs::read_to_string(dir.path().join(IN_FORCE_FILE)).unwrap(), old.text());
        let accepted = |hash: &str| Accepted { hash: hash.to_owned(), reason: "agreed".to_owned() };
        assert!(settle(Some(&accepted(""))).is_err());
        assert!(settle(Some(&accepted(&old.hash().to_string()[..12]))).is_err(), "another file");
        let taken = settle(Some(&accepted(&hash[..12]))).unwrap();
        assert!(matches!(taken.note, Some(OperatorCommand::SetLimits { confirmed: true, .. })));
    }

    #[test]
    fn limits_of_another_version_cannot_be_compared() {
        let dir = tempfile::tempdir().unwrap();
        let data = Folder::open(dir.path()).unwrap();
        let error = settle(&data, true, None, limits("1"), None).unwrap_err();
        assert_eq!(error.code(), "LIMITS_LOOSENED");
    }
}
