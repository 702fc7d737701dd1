//! Orders at the venue that are not ours (row 30). They count in every limit, because they move the same positions.

use std::collections::{BTreeMap, BTreeSet};

use crate::by_instrument::ByInstrument;
use crate::exposure::Exposure;
use crate::{InstrumentId, InstrumentSpec, OrderReport, VenueOrderId, VenueStatus};

/// Foreign orders that are followed. More than that halts the account whatever the limits say.
const FOLLOWED_MAX: usize = 1_024;

/// Names that are remembered, so that each makes one finding.
const TOLD_MAX: usize = 4_096;

/// The foreign orders that are open, as far as the venue told.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    open: BTreeMap<VenueOrderId, (InstrumentId, Exposure)>,
    exposures: ByInstrument<Exposure>,
    told: BTreeSet<VenueOrderId>,
}

/// What a report about a foreign order means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    /// It was not seen before.
    pub(super) is_new: bool,
    /// There are too many to follow.
    pub(super) too_many: bool,
}

impl Foreign {
    /// What they could do, by instrument.
    pub(super) fn exposures(&self) -> &ByInstrument<Exposure> {
        &self.exposures
    }

    /// Takes in a report about one.
    pub(super) fn note(&mut self, report: &OrderReport, spec: Option<&InstrumentSpec>) -> Noted {
        // Beyond what is remembered one is told again and again, rather than never.
        let is_new = !self.told.contains(&report.venue_order);
        if is_new && self.told.len() < TOLD_MAX {
            self.told.insert(report.venue_order.clone());
        }
        let open = match report.status {
            VenueStatus::Working
            | VenueStatus::PartiallyFilled
            | VenueStatus::Untriggered
            | VenueStatus::Triggered => spec,
            VenueStatus::Filled
            | VenueStatus::Cancelled
            | VenueStatus::Rejected
            | VenueStatus::Deactivated => None,
        };
        let too_many = open.is_some() && self.open.len() >= FOLLOWED_MAX;
        match open {
            Some(spec) if !too_many => {
                let exposure = Exposure::of_foreign(report, spec);
                self.open.insert(report.venue_order.clone(), (report.instrument, exposure));
            }
            Some(_) => {}
            None => drop(self.open.remove(&report.venue_order)),
        }
        self.add_up(report.instrument);
        Noted { is_new, too_many }
    }

    /// Forgets those that a full list of open orders does not have.
    pub(super) fn keep(&mut self, listed: &[OrderReport]) {
        if self.open.is_empty() {
            return;
        }
        let there: BTreeSet<&VenueOrderId> = listed.iter().map(|order| &order.venue_order).collect();
        let gone: Vec<(VenueOrderId, InstrumentId)> = self
            .open
            .iter()
            .filter(|(order, _)| !there.contains(order))
            .map(|(order, (instrument, _))| (order.clone(), *instrument))
            .collect();
        for (order, instrument) in gone {
            self.open.remove(&order);
            self.add_up(instrument);
        }
    }

    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn add_up(&mut self, instrument: InstrumentId) {
        let own = self.open.values().filter(|(of, _)| *of == instrument);
        let sum = own.fold(Exposure::default(), |sum, (_, exposure)| sum.plus(exposure));
        if let Some(slot) = self.exposures.entry(instrument) {
            *slot = sum;
        }
    }
}
