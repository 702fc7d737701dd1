//! `ValidIntent` → `ApprovedCommand`: the only file that says yes.
//!
//! Every check of the command's class runs, every one is recorded, and the first that does not pass gives the refusal its code.

use crate::checks::{Proposal, Situation, adding, reducing, reducing_amend};
use crate::validate::{ValidAmend, ValidBody, ValidIntent, ValidPlace};
use crate::{
    AmendOrder, ApprovedCommand, CancelAll, CancelOrder, CancelScope, Category, CheckOutcome, Class, Command,
    InstrumentId, IntentApproved, Order, OrderNumber, Origin, PlaceOrder, Price, RefusalCode, SetProtection,
    Side, Timestamp, Verdict,
};

/// Bytes of the causing frame that are kept with an approval (RULES J2).
const FRAME_BYTES_MAX: usize = 4_096;

/// The verdict over one intent.
#[derive(Debug)]
#[must_use]
pub(crate) enum Decision {
    /// Yes: the command, and the record that has to be durable before it leaves.
    Approve(ApprovedCommand, Box<IntentApproved>),
    /// No.
    Refuse(RefusalCode, Vec<CheckOutcome>),
}

/// Holds a valid intent against the limits.
pub(crate) fn review(mut intent: ValidIntent, situation: &Situation<'_>, frame: &[u8]) -> Decision {
    let checks = intent.take_checks();
    match intent.body() {
        ValidBody::Place(place) => review_place(&intent, place, checks, situation, frame),
        ValidBody::Amend(amend) => review_amend(&intent, amend, checks, situation, frame),
        ValidBody::Cancel(order) => match situation.state.orders().get(*order) {
            Some(order) => review_cancel(&intent, order, situation, frame),
            None => Decision::Refuse(RefusalCode::UnknownOrder, Vec::new()),
        },
    }
}

/// Approves the host's cancel of all entries of an instrument. Taking orders away needs no check.
pub(crate) fn cancel_all(
    instrument: InstrumentId,
    scope: CancelScope,
    origin: Origin,
    situation: &Situation<'_>,
) -> (ApprovedCommand, Box<IntentApproved>) {
    by_host(Command::CancelAll(CancelAll { instrument, scope }), Class::Cancel, origin, situation)
}

/// Approves the host's stop for a position. It only ever takes risk away, so it needs no check.
pub(crate) fn protect(
    instrument: InstrumentId,
    stop_loss: Price,
    situation: &Situation<'_>,
) -> (ApprovedCommand, Box<IntentApproved>) {
    let stop_loss = Some(stop_loss);
    let command = Command::SetProtection(SetProtection { instrument, take_profit: None, stop_loss });
    by_host(command, Class::Reducing, Origin::Protection, situation)
}

fn by_host(
    command: Command,
    class: Class,
    origin: Origin,
    situation: &Situation<'_>,
) -> (ApprovedCommand, Box<IntentApproved>) {
    let record = IntentApproved {
        command: command.clone(),
        class,
        strategy: situation.state.owner(command.instrument()),
        origin,
        number: OrderNumber(0),
        tag: 0,
        good_till: None,
        cause: None,
        frame: Vec::new(),
        limits: situation.state.limits_hash(),
        checks: Vec::new(),
        at: situation.now,
    };
    (ApprovedCommand::assertion(command, class, situation.now), Box::new(record))
}

fn review_place(
    intent: &ValidIntent,
    place: &ValidPlace,
    mut checks: Vec<CheckOutcome>,
    situation: &Situation<'_>,
    frame: &[u8],
) -> Decision {
    let Some(instrument) = situation.state.instrument(intent.instrument()) else {
        return Decision::Refuse(RefusalCode::UnknownInstrument, checks);
    };
    let proposal = Proposal::of_place(intent, place, instrument, situation);
    let (class, quantity) = if place.reduce_only {
        (Class::Reducing, reducing(&proposal, &mut checks))
    } else {
        adding(&proposal, &mut checks);
        let_past(&mut checks, intent, situation);
        (Class::Adding, place.quantity)
    };
    if let Some(code) = refusal(&checks) {
        return Decision::Refuse(code, checks);
    }
    let command = Command::Place(PlaceOrder {
        order: situation.state.orders().next_id(),
        instrument: intent.instrument(),
        side: place.side,
        quantity,
        price: proposal.price,
        time_in_force: place.time_in_force,
        reduce_only: place.reduce_only,
        trigger: place.trigger,
        take_profit: place.take_profit,
        stop_loss: place.stop_loss.or_else(|| opening_stop(&proposal).filter(|_| class == Class::Adding)),
    });
    approve(intent, command, class, place.good_till, checks, situation, frame)
}

/// The host's own stop for an order that opens a position, where the limits want one and the strategy brings none. An order that extends
/// a position brings none: the position's own covers it, and a new one would replace that.
fn opening_stop(proposal: &Proposal<'_>) -> Option<Price> {
    let instrument = proposal.instrument;
    let spec = &instrument.spec;
    let protection = instrument.limits.as_ref()?.protection?;
    let position = proposal.situation.state.ledger().quantity(spec.id);
    let extends = !position.is_flat() && position.is_long() == (proposal.side == Side::Buy);
    if extends || spec.category == Category::Spot {
        return None;
    }
    protection.stop(proposal.price?.to_amount(spec.price_decimals)?, proposal.side, spec)
}

fn review_amend(
    intent: &ValidIntent,
    amend: &ValidAmend,
    mut checks: Vec<CheckOutcome>,
    situation: &Situation<'_>,
    frame: &[u8],
) -> Decision {
    let order = situation.state.orders().get(amend.order);
    let instrument = situation.state.instrument(intent.instrument());
    let (Some(order), Some(instrument)) = (order, instrument) else {
        return Decision::Refuse(RefusalCode::UnknownOrder, Vec::new());
    };
    let Some(link) = order.link.clone() else { return Decision::Refuse(RefusalCode::OrderBusy, Vec::new()) };
    let proposal = Proposal::of_amend(intent, amend, order, instrument, situation);
    // A smaller quantity at the same price only takes risk away.
    let shrinks = amend.price.is_none() && amend.quantity.is_some_and(|quantity| quantity < order.quantity);
    let class = if shrinks || order.reduce_only {
        reducing_amend(&proposal, shrinks, &mut checks);
        Class::Reducing
    } else {
        adding(&proposal, &mut checks);
        let_past(&mut checks, intent, situation);
        Class::Adding
    };
    if let Some(code) = refusal(&checks) {
        return Decision::Refuse(code, checks);
    }
    let command = Command::Amend(AmendOrder {
        order: order.id,
        instrument: order.instrument,
        link,
        price: amend.price,
        quantity: amend.quantity,
    });
    approve(intent, command, class, order.good_till, checks, situation, frame)
}

fn review_cancel(intent: &ValidIntent, order: &Order, situation: &Situation<'_>, frame: &[u8]) -> Decision {
    let Some(link) = order.link.clone() else { return Decision::Refuse(RefusalCode::OrderBusy, Vec::new()) };
    let command = Command::Cancel(CancelOrder { order: order.id, instrument: order.instrument, link });
    approve(intent, command, Class::Cancel, order.good_till, Vec::new(), situation, frame)
}

fn approve(
    intent: &ValidIntent,
    command: Command,
    class: Class,
    good_till: Option<Timestamp>,
    checks: Vec<CheckOutcome>,
    situation: &Situation<'_>,
    frame: &[u8],
) -> Decision {
    let record = IntentApproved {
        command: command.clone(),
        class,
        strategy: intent.strategy(),
        origin: intent.origin(),
        number: intent.number(),
        tag: intent.tag(),
        good_till,
        cause: intent.cause(),
        frame: frame.get(..frame.len().min(FRAME_BYTES_MAX)).unwrap_or_default().to_vec(),
        limits: situation.state.limits_hash(),
        checks,
        at: situation.now,
    };
    Decision::Approve(ApprovedCommand::assertion(command, class, situation.now), Box::new(record))
}

/// Lets an order past a bound that an operator lifted for it (RULES G9). The record of the approval uses the override up.
fn let_past(checks: &mut [CheckOutcome], intent: &ValidIntent, situation: &Situation<'_>) {
    let overrides = &situation.state.overrides;
    if overrides.is_empty() {
        return;
    }
    let Some(strategy) = intent.strategy() else { return };
    for outcome in checks {
        let row = overrides.get(&(strategy, outcome.check)).filter(|row| situation.now <= row.until);
        if let (Verdict::Deny(_), Some(row)) = (outcome.verdict, row)
            && outcome.seen <= row.limit
        {
            *outcome = CheckOutcome { verdict: Verdict::Overridden, limit: row.limit, ..*outcome };
        }
    }
}

fn refusal(checks: &[CheckOutcome]) -> Option<RefusalCode> {
    checks.iter().find_map(|outcome| outcome.verdict.refusal())
}
