//! What answers, reports and executions make of one order.

use crate::{
    Answer, CloseReason, Execution, IntentApproved, Order, OrderEvent, OrderReport, OrderStatus, Origin,
    Pending, PendingKind, PlaceOrder, Price, Qty, RejectionKind, Submission, Timestamp, VenueRejection,
    VenueStatus,
};

pub(super) fn new_order(intent: &IntentApproved, place: &PlaceOrder) -> Order {
    Order {
        id: place.order,
        strategy: intent.strategy,
        origin: intent.origin,
        number: intent.number,
        tag: intent.tag,
        instrument: place.instrument,
        side: place.side,
        price: place.price,
        quantity: place.quantity,
        time_in_force: place.time_in_force,
        reduce_only: place.reduce_only,
        trigger: place.trigger,
        good_till: intent.good_till,
        status: OrderStatus::Reserved,
        reason: CloseReason::None,
        reported: Qty::ZERO,
        accounted: Qty::ZERO,
        link: None,
        sequence: None,
        venue_order: None,
        doubt: None,
        pending: Some(Pending {
            kind: PendingKind::Place,
            sequence: None,
            at: intent.at,
            answer: Answer::None,
        }),
        approved_at: intent.at,
        venue_time: Timestamp::default(),
    }
}

/// Moves an order along the table; a change the table does not allow is left out, the gate having noted it.
pub(super) fn step(order: &mut Order, event: OrderEvent) {
    if let Ok(next) = order.status.next(event) {
        order.status = next;
    }
}

/// The values of an amend are the order's now.
fn amended(order: &mut Order, price: Option<Price>, quantity: Option<Qty>) {
    order.price = price.or(order.price);
    order.quantity = quantity.unwrap_or(order.quantity);
}

pub(super) fn answer_create(order: &mut Order, outcome: &Submission) {
    let creating = order.pending.is_some_and(|pending| pending.kind == PendingKind::Place);
    match outcome {
        Submission::Accepted { venue_order } => {
            order.venue_order = venue_order.clone().or(order.venue_order.take());
            step(order, OrderEvent::Accepted);
            if creating {
                order.pending = None;
            }
        }
        // The id exists: an earlier create of ours was taken, so the order is there, in a state not yet seen.
        Submission::Rejected(VenueRejection { kind: RejectionKind::DuplicateLinkId, .. })
        | Submission::Unknown { .. } => {
            step(order, OrderEvent::Unanswered);
            if creating && let Some(pending) = &mut order.pending {
                pending.answer = Answer::Unknown;
            }
        }
        Submission::Rejected(rejection) => {
            if let Ok(next) = order.status.next(OrderEvent::Rejected) {
                order.status = next;
                order.reason = reason_of(rejection.kind);
                order.pending = None;
            }
        }
    }
}

pub(super) fn answer_change(order: &mut Order, outcome: &Submission) {
    let Some(pending) = &mut order.pending else { return };
    match (outcome, pending.kind) {
        (Submission::Accepted { .. }, _) => pending.answer = Answer::Accepted,
        (Submission::Unknown { .. }, _) => pending.answer = Answer::Unknown,
        // The order is not there any more, so its state is to be asked for.
        (Submission::Rejected(VenueRejection { kind: RejectionKind::NoSuchOrder, .. }), _) => {
            pending.answer = Answer::Unknown;
        }
        (
            Submission::Rejected(VenueRejection { kind: RejectionKind::NotModified, .. }),
            PendingKind::Amend { price, quantity },
        ) => {
            order.pending = None;
            amended(order, price, quantity);
        }
        (Submission::Rejected(_), _) => order.pending = None,
    }
}

pub(super) fn take_report(order: &mut Order, report: &OrderReport) {
    let cancelled = matches!(report.status, VenueStatus::Cancelled | VenueStatus::Deactivated);
    let pending = order.pending.map(|pending| pending.kind);
    let event = match pending {
        Some(PendingKind::Cancel(Origin::GoodTill)) if cancelled => OrderEvent::Expired,
        _ => OrderEvent::Reported(report.status),
    };
    if order.status.next(event).is_err() {
        return;
    }
    step(order, event);
    order.venue_order = Some(report.venue_order.clone());
    order.venue_time = order.venue_time.max(report.venue_time);
    order.reported = order.reported.max(report.executed);
    if order.status.is_open() {
        order.reason = CloseReason::None;
        // Seen at the venue: a create in flight worked, and so did an amend whose values are there.
        match pending {
            Some(PendingKind::Place) => order.pending = None,
            Some(PendingKind::Amend { price, quantity }) if shows(report, price, quantity) => {
                order.pending = None
            }
            Some(PendingKind::Amend { .. } | PendingKind::Cancel(_)) | None => {}
        }
        if order.doubt.is_some_and(|doubt| shows(report, doubt.price, doubt.quantity)) {
            order.doubt = None;
        }
        // The venue shrinks reduce-only orders by itself; what it shows is what there is.
        amended(order, report.price, Some(report.quantity));
    } else {
        order.pending = None;
        order.doubt = None;
        order.reason = close_reason(pending, report, cancelled);
    }
}

/// Whether a report shows the values an amend asked for.
fn shows(report: &OrderReport, price: Option<Price>, quantity: Option<Qty>) -> bool {
    price.is_none_or(|price| report.price == Some(price))
        && quantity.is_none_or(|quantity| report.quantity == quantity)
}

/// The venue does not know on whose behalf a cancel came; we do.
fn close_reason(pending: Option<PendingKind>, report: &OrderReport, cancelled: bool) -> CloseReason {
    let told = matches!(
        report.reason,
        CloseReason::None | CloseReason::Other | CloseReason::ByHost | CloseReason::ByStrategy
    );
    match pending {
        Some(PendingKind::Cancel(origin)) if cancelled && told => match origin {
            Origin::Strategy => CloseReason::ByStrategy,
            Origin::GoodTill => CloseReason::GoodTill,
            Origin::StrategyDown
            | Origin::Halt
            | Origin::Flatten
            | Origin::Operator
            | Origin::Disconnected
            | Origin::Protection => CloseReason::ByHost,
        },
        _ => report.reason,
    }
}

impl Order {
    /// Whether a report would leave everything as it is. One that is only newer does not: by its time older ones are told.
    pub(crate) fn would_ignore(&self, report: &OrderReport) -> bool {
        let mut after = self.clone();
        take_report(&mut after, report);
        after == *self
    }
}

pub(super) fn take_execution(order: &mut Order, execution: &Execution) {
    order.accounted = Qty(order.accounted.0.saturating_add(execution.quantity.0));
    order.venue_order.get_or_insert_with(|| execution.venue_order.clone());
    let whole = order.accounted >= order.reserved_quantity();
    step(order, if whole { OrderEvent::WholeFilled } else { OrderEvent::PartFilled });
    let place = order.pending.is_some_and(|pending| pending.kind == PendingKind::Place);
    if place || !order.status.is_open() {
        order.pending = None;
    }
    if !order.status.is_open() {
        order.doubt = None;
    }
}

fn reason_of(kind: RejectionKind) -> CloseReason {
    match kind {
        RejectionKind::Margin => CloseReason::Margin,
        RejectionKind::PriceLimit => CloseReason::PriceLimit,
        RejectionKind::ReduceOnly => CloseReason::ReduceOnly,
        RejectionKind::Invalid
        | RejectionKind::Timestamp
        | RejectionKind::RateLimited
        | RejectionKind::Unauthorised
        | RejectionKind::TooManyOrders
        | RejectionKind::NoSuchOrder
        | RejectionKind::DuplicateLinkId
        | RejectionKind::NotModified
        | RejectionKind::NotTrading
        | RejectionKind::Other => CloseReason::VenueRule,
    }
}
