//! The life of an order: a single table says which change may follow which.

use serde::{Deserialize, Serialize};

use crate::VenueStatus;

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
