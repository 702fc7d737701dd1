//! One order, as the books have it.

use crate::{
    CloseReason, InstrumentId, LinkId, OrderId, OrderNumber, OrderStatus, Origin, Price, Qty, Sequence, Side,
    StrategyId, TimeInForce, Timestamp, Trigger, VenueOrderId,
};

/// An order, as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The host's number.
    pub id: OrderId,
    /// On whose account it is booked.
    pub strategy: Option<StrategyId>,
    /// Who wanted it.
    pub origin: Origin,
    /// The strategy's number; 0 for the host's own.
    pub number: OrderNumber,
    /// The strategy's mark.
    pub tag: u64,
    /// Where.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit price or collar; `None` only for a reduction without a fresh price.
    pub price: Option<Price>,
    /// Total quantity.
    pub quantity: Qty,
    /// How long it rests.
    pub time_in_force: TimeInForce,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// Condition that releases it.
    pub trigger: Option<Trigger>,
    /// When the host cancels what is left.
    pub good_till: Option<Timestamp>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it closed.
    pub reason: CloseReason,
    /// Executed quantity as the venue's order reports have it.
    pub reported: Qty,
    /// Executed quantity as the executions add up to: the truth for the books.
    pub accounted: Qty,
    /// Its client id, from when the journal minted it.
    pub link: Option<LinkId>,
    /// The entry that approved it.
    pub sequence: Option<Sequence>,
    /// The venue's name for it, from when the venue told.
    pub venue_order: Option<VenueOrderId>,
    /// The command in flight: at most one (RULES G5).
    pub pending: Option<Pending>,
    /// An amend whose fate was not known when a cancel took its place in flight. It counts until evidence settles it.
    pub doubt: Option<Doubt>,
    /// When it was approved.
    pub approved_at: Timestamp,
    /// The venue's time of the last report.
    pub venue_time: Timestamp,
}

/// A command in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// What it does.
    pub kind: PendingKind,
    /// Its entry, from when the journal has it.
    pub sequence: Option<Sequence>,
    /// When it was approved.
    pub at: Timestamp,
    /// What came back so far.
    pub answer: Answer,
}

/// An amend that may or may not have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// The price it asked for.
    pub price: Option<Price>,
    /// The total quantity it asked for.
    pub quantity: Option<Qty>,
    /// When it was approved.
    pub at: Timestamp,
}

/// What a command in flight does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingKind {
    /// Creates the order.
    Place,
    /// Changes it.
    Amend {
        /// New price.
        price: Option<Price>,
        /// New total quantity.
        quantity: Option<Qty>,
    },
    /// Cancels it.
    Cancel(Origin),
}

/// What came back for a command in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    None,
    /// An acknowledgement; the effect is not yet seen.
    Accepted,
    /// Nothing usable: only evidence helps.
    Unknown,
}

impl Order {
    /// Executed quantity: the larger of what was reported and what was accounted.
    pub fn executed(&self) -> Qty {
        self.reported.max(self.accounted)
    }

    /// What can still change the position: for an open order everything reserved and not yet accounted; for a closed one the
    /// executions that are still to come.
    pub fn exposure(&self) -> Qty {
        let total = if self.status.is_open() { self.reserved_quantity() } else { self.reported };
        Qty(total.0.saturating_sub(self.accounted.0).max(0))
    }

    /// The largest total quantity it has, or may have by an amend under way or in doubt.
    pub fn reserved_quantity(&self) -> Qty {
        self.amends().filter_map(|(_, quantity)| quantity).fold(self.quantity, Ord::max)
    }

    /// The highest price it has, or may have by an amend under way or in doubt; `None` for a market order.
    pub fn reserved_price(&self) -> Option<Price> {
        self.amends().map(|(price, _)| price).fold(self.price, Ord::max)
    }

    /// The lowest price it has, or may have by an amend under way or in doubt; `None` for a market order.
    pub(crate) fn lowest_price(&self) -> Option<Price> {
        self.amends()
            .filter_map(|(price, _)| price)
            .fold(self.price, |lowest, price| lowest.map(|own| own.min(price)))
    }

    /// Whether it still waits for its trigger, as far as we know.
    pub(crate) fn is_waiting_for_trigger(&self) -> bool {
        self.trigger.is_some()
            && matches!(
                self.status,
                OrderStatus::Reserved
                    | OrderStatus::Unknown
                    | OrderStatus::Acknowledged
                    | OrderStatus::Untriggered
            )
    }

    /// Whether something about it is not known: a command without an answer, or executions that are missing.
    pub fn is_unresolved(&self) -> bool {
        let unanswered = self.pending.is_some_and(|pending| pending.answer == Answer::Unknown);
        self.status == OrderStatus::Unknown
            || unanswered
            || self.doubt.is_some()
            || self.reported > self.accounted
    }

    fn amends(&self) -> impl Iterator<Item = (Option<Price>, Option<Qty>)> {
        let in_flight = match self.pending.map(|pending| pending.kind) {
            Some(PendingKind::Amend { price, quantity }) => Some((price, quantity)),
            Some(PendingKind::Place | PendingKind::Cancel(_)) | None => None,
        };
        in_flight.into_iter().chain(self.doubt.map(|doubt| (doubt.price, doubt.quantity)))
    }

    /// Whether a cancel is in flight.
    pub fn is_being_cancelled(&self) -> bool {
        self.pending.is_some_and(|pending| matches!(pending.kind, PendingKind::Cancel(_)))
    }

    /// Whether a command in flight may still be answered.
    pub fn is_waiting_for_answer(&self) -> bool {
        self.pending.is_some_and(|pending| pending.answer == Answer::None)
    }
}
