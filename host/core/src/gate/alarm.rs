//! What no trading is safe with: a journal older than the venue, or an account that is not as it should be.

use crate::{LinkId, LinkNumber, Scope, StateCause, TradingState, VenueAlarm};

use super::turn::Turn;

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
        let head = LinkNumber { epoch: session.epoch, sequence: self.desk.journal_head };
        self.desk.reconciliation.answered_at.is_none() && LinkNumber::of(link).is_some_and(|of| of > head)
    }

    pub(super) fn roll_back(&mut self, link: &LinkId) {
        self.raise(Scope::Account, TradingState::ReduceOnly, StateCause::RolledBack, rolled_back(link));
    }
}

fn rolled_back(link: &LinkId) -> String {
    format!("the venue has {link}, which is newer than the journal: an older copy of it was put back")
}
