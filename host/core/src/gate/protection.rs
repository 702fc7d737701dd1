//! The stop that rests at the venue for every position (row 26): verified after each fill, put back where it is missing, and the
//! position closed where it cannot be.
//!
//! An order that opens a position brings it along (`review.rs`), so that the position has it from its first fill on, whatever becomes of
//! this process. It is the position's own stop-loss, never an order of ours, so that no cancel-all takes it away (RULES G8).

use crate::review;
use crate::{
    Category, FindingKind, Inhibit, InstrumentId, PositionReport, Price, ProtectionLimits, Scope, Side,
    SignedQty, Span, StateCause, Timestamp, TradingState,
};

use super::turn::Turn;

/// Pause between two attempts to put a stop in place.
const REPEAT: Span = Span::from_secs(2);

/// What is known of the stop of one position.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stop {
    /// The stop at the venue, as it told last.
    seen: Option<Price>,
    /// Since when the position has none that is near enough.
    missing_since: Option<Timestamp>,
    /// When one was last asked for.
    sent_at: Option<Timestamp>,
}

impl Stop {
    /// Since when the position has no stop that is near enough.
    pub(super) fn missing_since(&self) -> Option<Timestamp> {
        self.missing_since
    }

    /// Whether the venue told of a stop that is near enough.
    pub(super) fn is_in_place(&self) -> bool {
        self.seen.is_some() && self.missing_since.is_none()
    }

    /// Asks for one without waiting any longer.
    pub(super) fn hurry(&mut self) {
        self.sent_at = None;
    }

    /// Whether time alone changes nothing about it.
    pub(super) fn is_settled(&self) -> bool {
        self.missing_since.is_none()
    }
}

impl Turn<'_> {
    /// The venue's word on a position: what matters here is its stop. Quantities are compared in reconciliation only, because in the
    /// stream they race with the executions.
    pub(super) fn position(&mut self, report: &PositionReport) {
        let wanted = self.state.instrument(report.instrument).and_then(|of| of.limits.as_ref()?.protection);
        if wanted.is_some() {
            self.desk.stops.entry(report.instrument).or_default().seen = report.stop_loss;
            self.protect(report.instrument);
        }
    }

    /// A position changed: from here on its stop is looked after.
    pub(super) fn watch_protection(&mut self, instrument: InstrumentId) {
        let position = self.state.ledger().quantity(instrument);
        if position.is_flat() {
            self.desk.stops.remove(&instrument);
        } else if self.wanted_stop(instrument).is_some() {
            // The venue tells about the position next; until then nothing is known to be wrong.
            let stop = self.desk.stops.entry(instrument).or_default();
            stop.missing_since.get_or_insert(self.now);
        }
    }

    /// Looks after every stop that is not in place.
    pub(super) fn pursue_protection(&mut self) {
        let held: Vec<InstrumentId> = self
            .state
            .instruments()
            .filter(|instrument| instrument.limits.as_ref().is_some_and(|limits| limits.protection.is_some()))
            .map(|instrument| instrument.spec.id)
            .filter(|id| !self.state.ledger().quantity(*id).is_flat())
            .collect();
        for id in held {
            self.protect(id);
        }
    }

    fn protect(&mut self, instrument: InstrumentId) {
        let Some((wanted, limits)) = self.wanted_stop(instrument) else { return };
        let position = self.state.ledger().quantity(instrument);
        let now = self.now;
        let stop = self.desk.stops.entry(instrument).or_default();
        if wanted.zip(stop.seen).is_some_and(|(wanted, seen)| is_near(seen, wanted, position)) {
            stop.missing_since = None;
            return;
        }
        // After a restart nothing is known of the stops until the venue has told of its positions.
        if self.desk.holding.contains_key(&Inhibit::Reconciling) {
            return;
        }
        let since = *stop.missing_since.get_or_insert(now);
        let beyond = wanted.is_none_or(|wanted| self.is_beyond(instrument, wanted, position));
        if beyond || now.since(since) > limits.missing_max {
            return self.unprotected(instrument);
        }
        let signable = self.is_signable();
        let stop = self.desk.stops.entry(instrument).or_default();
        if !signable || stop.sent_at.is_some_and(|sent| now.since(sent) < REPEAT) {
            return;
        }
        stop.sent_at = Some(now);
        if let Some(wanted) = wanted {
            let (command, record) = review::protect(instrument, wanted, &self.situation(None));
            self.approve(command, record);
            self.desk.reconciliation.wanted = true;
        }
    }

    /// The stop could not be put there, or the price is past it already: the position is closed.
    fn unprotected(&mut self, instrument: InstrumentId) {
        let detail = "a position has no stop at the venue and cannot get one; it is closed".to_owned();
        let scope = Scope::Instrument(instrument);
        if self.raise(scope, TradingState::Flattening, StateCause::ProtectionMissing, detail.clone()) {
            self.instrument_finding(FindingKind::ProtectionMissing, instrument, detail);
        }
    }

    /// Where the limits want the stop; `None` where they want none. The inner `None` is a stop that cannot be computed.
    fn wanted_stop(&self, instrument: InstrumentId) -> Option<(Option<Price>, ProtectionLimits)> {
        let of = self.state.instrument(instrument)?;
        let limits = of.limits.as_ref()?.protection?;
        let position = self.state.ledger().quantity(instrument);
        if position.is_flat() || of.spec.category == Category::Spot {
            return None;
        }
        let average = self.state.ledger().average_price(instrument, &of.spec);
        let side = if position.is_long() { Side::Buy } else { Side::Sell };
        let wanted = average.and_then(|average| limits.stop(average, side, &of.spec));
        Some((wanted, limits))
    }

    /// Whether the market is past a stop already, so that the venue would not take it.
    fn is_beyond(&self, instrument: InstrumentId, stop: Price, position: SignedQty) -> bool {
        let valued = self.state.spec(instrument).and_then(|spec| {
            let mark = self.desk.markets.get(instrument)?.valuation(spec)?;
            Some((mark, stop.to_amount(spec.price_decimals)?))
        });
        match valued {
            Some((mark, stop)) if position.is_long() => mark <= stop,
            Some((mark, stop)) => mark >= stop,
            // Without a price nothing says so; the deadline decides.
            None => false,
        }
    }
}

/// Whether a stop is at least as near as the one the limits want.
fn is_near(seen: Price, wanted: Price, position: SignedQty) -> bool {
    if position.is_long() { seen >= wanted } else { seen <= wanted }
}
