//! What no trading is safe with: a journal older than the venue, or an account that is not as it should be.

use crate::{LinkId, Scope, StateCause, TradingState, VenueAlarm};

use super::turn::Turn;

/// Where a client id of ours has the epoch and the sequence of its entry, in digits of base 32.
const EPOCH: core::ops::Range<usize> = 1..4;
const SEQUENCE: core::ops::Range<usize> = 4..13;

impl Turn<'_> {
    /// The venue's side found something wrong.
    pub(super) fn alarm(&mut self, alarm: VenueAlarm) {
        let (cause, mut detail) = match alarm {
            VenueAlarm::RolledBack { link } => (StateCause::RolledBack, rolled_back(&link)),
            VenueAlarm::AccountPolicy { detail } => (StateCause::AccountPolicy, detail),
        };
        detail.truncate(detail.floor_char_boundary(512));
        self.raise(Scope::Account, TradingState::ReduceOnly, cause, detail);
    }

    /// Whether an id of our form comes from an entry that the journal should have and has not, as the first comparison after a start
    /// shows it when an older copy of the journal was put back (RULES J5). Later, such an id is in other hands.
    pub(super) fn is_rolled_back(&self, link: &LinkId) -> bool {
        let Some(session) = self.state.session() else { return false };
        let head = (u64::from(session.epoch), self.desk.journal_head.0);
        self.desk.reconciliation.answered_at.is_none() && number_of(link).is_some_and(|of| of > head)
    }

    pub(super) fn roll_back(&mut self, link: &LinkId) {
        self.raise(Scope::Account, TradingState::ReduceOnly, StateCause::RolledBack, rolled_back(link));
    }
}

fn rolled_back(link: &LinkId) -> String {
    format!("the venue has {link}, which is newer than the journal: an older copy of it was put back")
}

/// Epoch and sequence in a client id of our form.
fn number_of(link: &LinkId) -> Option<(u64, u64)> {
    let text = link.as_str();
    Some((base32(text.get(EPOCH)?)?, base32(text.get(SEQUENCE)?)?))
}

/// Crockford's digits in lower case.
fn base32(text: &str) -> Option<u64> {
    const DIGITS: &str = "0123456789abcdefghjkmnpqrstvwxyz";
    text.chars().try_fold(0_u64, |value, letter| {
        let digit = u64::try_from(DIGITS.find(letter)?).ok()?;
        value.checked_mul(32)?.checked_add(digit)
    })
}
