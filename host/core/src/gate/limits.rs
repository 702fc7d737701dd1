//! Other limits, and exceptions from them: what loosens takes two steps, and all of it is journaled with its reason (RULES G9).

use crate::{Digest, Limits, LimitsSet, OperatorCommand, OperatorEntry, Override, Record, Reply, Timestamp};

use super::confirm::Intention;
use super::turn::Turn;

/// Bytes of the list of loosened keys that are journaled.
const LOOSENED_BYTES_MAX: usize = 512;

/// Longest life of an override.
const OVERRIDE_SECONDS_MAX: u64 = 3_600;

impl Turn<'_> {
    /// Puts limits in force that come with the session, as they stand in the file.
    pub(super) fn limits(&mut self, limits: &Limits) {
        self.record(Record::Limits(LimitsSet { hash: limits.hash(), toml: limits.text().to_owned() }));
    }

    /// Puts an operator's limits in force, at once where nothing in them is looser.
    pub(super) fn set_limits(
        &mut self,
        actor: String,
        limits: &Limits,
        reason: String,
        code: Option<String>,
    ) {
        let hash = limits.hash();
        let changes = self.state.limits().map(|old| old.changes_to(limits));
        // Without limits everything is refused, so any are looser.
        let loosened = match &changes {
            Some(changes) => {
                let keys: Vec<String> =
                    changes.iter().filter(|change| change.loosens).map(ToString::to_string).collect();
                keys.join("; ")
            }
            None => "everything: no limits are in force".to_owned(),
        };
        self.note_limits(actor, hash, &loosened, reason, code.is_some());
        let unchanged = changes.is_some_and(|changes| changes.is_empty());
        let confirmed = match code {
            _ if unchanged => Err(Reply::Nothing),
            _ if loosened.is_empty() => Ok(()),
            None => Err(self.ask_to_confirm(Intention::Limits(hash))),
            Some(code) => self.confirm(&Intention::Limits(hash), &code),
        };
        self.effects.reply = Some(match confirmed {
            Ok(()) => {
                self.limits(limits);
                Reply::Done
            }
            Err(reply) => reply,
        });
    }

    /// Lets one order of a strategy pass a bound.
    pub(super) fn grant_override(&mut self, row: Override, code: Option<String>) -> Reply {
        if let Some(why) = self.override_objection(&row) {
            return Reply::Refused(why);
        }
        let intention = Intention::Override(row.strategy, row.check, row.limit);
        let Some(code) = code else { return self.ask_to_confirm(intention) };
        match self.confirm(&intention, &code) {
            Ok(()) => {
                self.record(Record::Override(row));
                Reply::Done
            }
            Err(reply) => reply,
        }
    }

    fn override_objection(&self, row: &Override) -> Option<String> {
        let latest = Timestamp(self.now.0.saturating_add(OVERRIDE_SECONDS_MAX.saturating_mul(1_000_000_000)));
        if self.state.strategy(row.strategy).is_none() {
            return Some("no strategy of that name ever started".to_owned());
        }
        if !row.check.can_be_overridden() {
            return Some(format!("{} is no bound that an order may be let past", row.check));
        }
        if row.until <= self.now || row.until > latest {
            return Some(format!("an override lasts at most {OVERRIDE_SECONDS_MAX} seconds from now"));
        }
        (row.limit <= 0).then(|| "the bound must be above zero".to_owned())
    }

    fn note_limits(&mut self, actor: String, hash: Digest, loosened: &str, reason: String, confirmed: bool) {
        let cut = loosened.floor_char_boundary(LOOSENED_BYTES_MAX.min(loosened.len()));
        let loosened = loosened.get(..cut).unwrap_or_default().to_owned();
        let command = OperatorCommand::SetLimits { hash, loosened, reason, confirmed };
        self.record(Record::Operator(OperatorEntry { actor, command, at: self.now }));
    }
}
