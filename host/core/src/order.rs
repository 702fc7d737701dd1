//! One order and its life: a single table says which change may follow which.

use serde::{Deserialize, Serialize};

use crate::{
    CloseReason, InstrumentId, LinkId, OrderId, OrderNumber, Origin, Price, Qty, Sequence, Side, StrategyId,
    TimeInForce, Timestamp, Trigger, VenueOrderId, VenueStatus,
};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OrderStatus {
    /// Approved and reserved; it may be on its way.
    Reserved,
    /// No answer. Its exposure stays reserved until evidence comes (invariant 4).
    Unknown,
    /// The venue took it; not yet seen in the stream.
    Acknowledged,
    /// Rests.
    Working,
    /// Rests, partly executed.
    PartiallyFilled,
    /// Waits for its trigger.
    Untriggered,
    /// Its trigger was reached; works next.
    Triggered,
    /// Executed whole.
    Filled,
    /// Closed by a cancel; may have executed.
    Cancelled,
    /// The venue said no.
    Rejected,
    /// Cancelled by the host because its good-till time came.
    Expired,
    /// Approved, but never sent.
    NotSent,
    /// Proved never to have reached the venue.
    Absent,
}

/// What can happen to an order's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEvent {
    /// It will not be sent.
    NotSent,
    /// The venue acknowledged the create.
    Accepted,
    /// The venue refused the create, definitively.
    Rejected,
    /// The create had no answer.
    Unanswered,
    /// The venue reported this status.
    Reported(VenueStatus),
    /// Executed in part.
    PartFilled,
    /// Executed whole.
    WholeFilled,
    /// The host's good-till cancel took effect.
    Expired,
    /// Evidence: it never reached the venue.
    Absent,
}

/// A change that the table does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from:?} cannot take {event:?}")]
pub struct IllegalTransition {
    /// Where the order stood.
    pub from: OrderStatus,
    /// What was to happen.
    pub event: OrderEvent,
}

impl OrderStatus {
    /// The table.
    ///
    /// # Errors
    /// [`IllegalTransition`] for a change that cannot follow; the order then stays as it is.
    #[rustfmt::skip]
    pub fn next(self, event: OrderEvent) -> Result<Self, IllegalTransition> {
        use OrderEvent as E;
        use OrderStatus::{
            Absent, Acknowledged, Cancelled, Expired, Filled, NotSent, PartiallyFilled, Rejected, Reserved, Triggered, Unknown,
            Untriggered, Working,
        };
        use VenueStatus as V;

        let next = match (self, event) {
            (Reserved, E::NotSent) => NotSent,

            // The stream can be ahead of the answer, so an answer never takes an order back.
            (Reserved | Unknown, E::Accepted) => Acknowledged,
            (Acknowledged | Working | PartiallyFilled | Untriggered | Triggered | Filled | Cancelled | Expired, E::Accepted) => self,
            (Reserved | Unknown, E::Rejected) => Rejected,
            (Reserved | Unknown, E::Unanswered) => Unknown,
            (Acknowledged | Working | PartiallyFilled | Untriggered | Triggered | Filled | Cancelled | Expired, E::Unanswered) => self,
            (Reserved | Unknown, E::Absent) => Absent,

            (Reserved | Unknown | Acknowledged | Working | Untriggered | Triggered, E::Reported(V::Working)) => Working,
            (PartiallyFilled, E::Reported(V::Working)) => PartiallyFilled,
            (Reserved | Unknown | Acknowledged | Working | PartiallyFilled | Untriggered | Triggered, E::Reported(V::PartiallyFilled)) => PartiallyFilled,
            (Reserved | Unknown | Acknowledged | Untriggered, E::Reported(V::Untriggered)) => Untriggered,
            (Reserved | Unknown | Acknowledged | Untriggered | Triggered, E::Reported(V::Triggered)) => Triggered,
            (Reserved | Unknown | Acknowledged | Untriggered | Triggered | Rejected, E::Reported(V::Rejected)) => Rejected,
            (Reserved | Unknown | Acknowledged | Working | PartiallyFilled | Untriggered | Triggered | Cancelled | Rejected | NotSent | Absent, E::Reported(V::Cancelled | V::Deactivated)) => Cancelled,
            (Expired, E::Reported(V::Cancelled | V::Deactivated)) => Expired,
            (Reserved | Unknown | Acknowledged | Working | PartiallyFilled | Untriggered | Triggered | Filled, E::Reported(V::Filled)) => Filled,
            (Reserved | Unknown | Acknowledged | Working | PartiallyFilled | Untriggered | Triggered | Expired, E::Expired) => Expired,

            // A cancel and a fill can cross at the venue.
            (Cancelled | Expired, E::Reported(V::Filled) | E::WholeFilled) => Filled,

            (Reserved | Unknown | Acknowledged | Working | PartiallyFilled | Untriggered | Triggered, E::PartFilled) => PartiallyFilled,
            (Reserved | Unknown | Acknowledged | Working | PartiallyFilled | Untriggered | Triggered, E::WholeFilled) => Filled,
            // The execution stream can be behind the order stream; late executions are accounted, the order stays closed.
            (Filled | Cancelled | Expired, E::PartFilled) => self,
            (Filled, E::WholeFilled) => Filled,

            // The proof was wrong, or a refusal was none: the order lives, so its exposure must count again.
            (Rejected | NotSent | Absent, E::Reported(V::Working)) => Working,
            (Rejected | NotSent | Absent, E::Reported(V::PartiallyFilled) | E::PartFilled) => PartiallyFilled,
            (Rejected | NotSent | Absent, E::Reported(V::Untriggered)) => Untriggered,
            (Rejected | NotSent | Absent, E::Reported(V::Triggered)) => Triggered,
            (Rejected | NotSent | Absent, E::Reported(V::Filled) | E::WholeFilled) => Filled,

            (_, E::NotSent | E::Accepted | E::Rejected | E::Unanswered | E::Reported(_) | E::Expired | E::Absent) => {
                return Err(IllegalTransition { from: self, event });
            }
        };
        Ok(next)
    }

    /// Whether it can still be executed, as far as we know.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Reserved
            | Self::Unknown
            | Self::Acknowledged
            | Self::Working
            | Self::PartiallyFilled
            | Self::Untriggered
            | Self::Triggered => true,
            Self::Filled
            | Self::Cancelled
            | Self::Rejected
            | Self::Expired
            | Self::NotSent
            | Self::Absent => false,
        }
    }

    /// Whether the venue has shown it, so that it can be amended and cancelled by its client id.
    pub const fn is_at_venue(self) -> bool {
        match self {
            Self::Acknowledged
            | Self::Working
            | Self::PartiallyFilled
            | Self::Untriggered
            | Self::Triggered => true,
            Self::Reserved
            | Self::Unknown
            | Self::Filled
            | Self::Cancelled
            | Self::Rejected
            | Self::Expired
            | Self::NotSent
            | Self::Absent => false,
        }
    }

    /// The number in frames (`wit/frame.md`).
    pub const fn number(self) -> u8 {
        match self {
            Self::Reserved | Self::Acknowledged => 1,
            Self::Unknown => 2,
            Self::Working | Self::Triggered => 3,
            Self::PartiallyFilled => 4,
            Self::Filled => 5,
            Self::Cancelled => 6,
            Self::Rejected => 7,
            Self::Expired => 8,
            Self::Untriggered => 9,
            Self::NotSent | Self::Absent => 10,
        }
    }

    /// The word in logs, journal and console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Unknown => "unknown",
            Self::Acknowledged => "acknowledged",
            Self::Working => "working",
            Self::PartiallyFilled => "partially-filled",
            Self::Untriggered => "untriggered",
            Self::Triggered => "triggered",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::NotSent => "not-sent",
            Self::Absent => "absent",
        }
    }
}

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
