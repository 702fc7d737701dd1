//! What the venue's side found wrong: a journal older than the venue, an account that is not as it should be, words of the venue that
//! cannot be.

use crate::{Finding, FindingKind, LinkId, LinkNumber, Scope, StateCause, TradingState, VenueAlarm};

use super::turn::Turn;

/// Most bytes of an alarm's words that are kept.
const DETAIL_MAX: usize = 512;

impl Turn<'_> {
    /// The venue's side found something wrong.
    pub(super) fn alarm(&mut self, alarm: VenueAlarm) {
        let (cause, mut detail) = match alarm {
            VenueAlarm::RolledBack { link } => (StateCause::RolledBack, rolled_back(&link)),
            VenueAlarm::AccountPolicy { detail } => (StateCause::AccountPolicy, detail),
            VenueAlarm::Quarantined { detail } => return self.quarantined(detail),
        };
        detail.truncate(detail.floor_char_boundary(DETAIL_MAX));
        self.raise(Scope::Account, TradingState::ReduceOnly, cause, detail);
    }

    /// Something of the venue's was left out, so the books may miss it.
    fn quarantined(&mut self, mut detail: String) {
        detail.truncate(detail.floor_char_boundary(DETAIL_MAX));
        let kind = FindingKind::VenueQuarantined;
        self.finding(Finding { kind, order: None, instrument: None, detail, at: self.now });
        self.desk.reconciliation.wanted = true;
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
