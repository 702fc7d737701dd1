//! From entries to rows.

use portcullis_core::{
    Category, Command, Execution, ExecutionKind, InstrumentId, InstrumentSpec, IntentApproved, LinkId,
    OrderEvent, OrderReport, OrderStatus, PlaceOrder, Qty, Record, Resolution, Resolved, Sequence, Side,
    Submission, Submitted,
};
use rusqlite::{Connection, Result, params};

use super::rows::{OrderRow, order_by_id, order_by_link, order_by_sequence, terms};
use crate::Stored;
use crate::line::actor_name;

/// A number as SQLite holds it. Sequences, times and ids stay far below 2^63; anything above saturates.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Writes one entry's rows. An entry that this version cannot decode still gets its row in `entries`.
pub(super) fn project(database: &Connection, stored: &Stored<'_>) -> Result<()> {
    let record = Record::decode(stored.entry.kind, &stored.entry.body).ok();
    let about = match &record {
        Some(record) => apply(database, stored, record)?,
        None => About::default(),
    };
    let strategy =
        record.as_ref().and_then(Record::strategy).map(|strategy| i64::from(strategy.0)).or(about.strategy);
    let symbol = match about.instrument {
        Some(instrument) => terms(database, instrument)?.symbol,
        None => None,
    };
    database
        .prepare_cached(
            "INSERT INTO entries (sequence, time, kind, name, actor, strategy, order_id, symbol, leaf)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            integer(stored.entry.sequence.0),
            integer(stored.entry.time.0),
            stored.entry.kind,
            record.as_ref().map(Record::name),
            actor_name(stored.entry.actor),
            strategy,
            about.order,
            symbol,
            stored.leaf.0,
        ])?;
    Ok(())
}

/// What an entry concerns.
#[derive(Debug, Default)]
struct About {
    order: Option<i64>,
    instrument: Option<InstrumentId>,
    strategy: Option<i64>,
}

impl About {
    fn order(order: Option<OrderRow>) -> Self {
        order.map_or_else(Self::default, |order| Self {
            order: Some(order.id),
            instrument: Some(order.instrument),
            strategy: order.strategy,
        })
    }

    fn instrument(instrument: InstrumentId) -> Self {
        Self { instrument: Some(instrument), ..Self::default() }
    }
}

fn apply(database: &Connection, stored: &Stored<'_>, record: &Record) -> Result<About> {
    let sequence = stored.entry.sequence;
    match record {
        Record::Instrument(spec) => instrument(database, spec),
        Record::StrategyStarted(started) => {
            database
                .prepare_cached(
                    "INSERT OR REPLACE INTO strategies (strategy, name, digest) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![started.strategy.0, started.name.as_str(), started.digest.to_string()])?;
            Ok(About::default())
        }
        Record::Intent(intent) => approved(database, stored, intent),
        Record::NotSent(not_sent) => {
            let order = order_by_sequence(database, not_sent.of)?;
            change(database, sequence, order, OrderEvent::NotSent)
        }
        Record::Submission(Submitted { of, outcome, .. }) => {
            let event = match outcome {
                Submission::Accepted { .. } => OrderEvent::Accepted,
                Submission::Rejected(_) => OrderEvent::Rejected,
                Submission::Unknown { .. } => OrderEvent::Unanswered,
            };
            let order = order_by_sequence(database, *of)?;
            if let (Some(order), Submission::Accepted { venue_order: Some(venue_order) }) = (&order, outcome)
            {
                database
                    .prepare_cached("UPDATE orders SET venue_order = ?2 WHERE order_id = ?1")?
                    .execute(params![order.id, venue_order.as_str()])?;
            }
            change(database, sequence, order, event)
        }
        Record::Order(report) => reported(database, sequence, report),
        Record::Execution(execution) => executed(database, sequence, execution),
        Record::Resolved(Resolved { order, resolution, .. }) => {
            let order = order_by_id(database, integer(order.0))?;
            if *resolution == Resolution::Absent {
                return change(database, sequence, order, OrderEvent::Absent);
            }
            // A settled amend or cancel shows in the order reports.
            Ok(About::order(order))
        }
        Record::Adjustment(adjustment) => Ok(About::instrument(adjustment.instrument)),
        Record::Refused(refused) => Ok(refused.instrument.map_or_else(About::default, About::instrument)),
        Record::Finding(finding) => Ok(About {
            order: finding.order.map(|order| integer(order.0)),
            instrument: finding.instrument,
            strategy: None,
        }),
        Record::Session(_)
        | Record::HighWater(_)
        | Record::Override(_)
        | Record::Limits(_)
        | Record::StrategyStopped(_)
        | Record::StrategyFault(_)
        | Record::RefusedSummary(_)
        | Record::Wallet(_)
        | Record::TradingState(_)
        | Record::Operator(_)
        | Record::DayAnchor(_) => Ok(About::default()),
    }
}

fn instrument(database: &Connection, spec: &InstrumentSpec) -> Result<About> {
    let category = match spec.category {
        Category::Linear => "linear",
        Category::Spot => "spot",
    };
    database.prepare_cached("INSERT OR REPLACE INTO instruments VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(
        params![spec.id.0, spec.symbol.as_str(), category, spec.price_decimals, spec.quantity_decimals],
    )?;
    Ok(About::instrument(spec.id))
}

fn approved(database: &Connection, stored: &Stored<'_>, intent: &IntentApproved) -> Result<About> {
    let (order, instrument) = match &intent.command {
        Command::Place(place) => {
            insert_order(database, stored, intent, place)?;
            (Some(place.order), place.instrument)
        }
        Command::Amend(amend) => (Some(amend.order), amend.instrument),
        Command::Cancel(cancel) => (Some(cancel.order), cancel.instrument),
        Command::CancelAll(all) => (None, all.instrument),
        Command::SetProtection(protection) => (None, protection.instrument),
    };
    Ok(About { order: order.map(|order| integer(order.0)), instrument: Some(instrument), strategy: None })
}

fn insert_order(
    database: &Connection,
    stored: &Stored<'_>,
    intent: &IntentApproved,
    place: &PlaceOrder,
) -> Result<()> {
    let terms = terms(database, place.instrument)?;
    let sequence = integer(stored.entry.sequence.0);
    database
        .prepare_cached(
            "INSERT OR REPLACE INTO orders (order_id, sequence, link, strategy, instrument, symbol, side, price, quantity, executed,
               executed_mantissa, quantity_mantissa, reduce_only, status, approved, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12, ?13, ?14, ?2)",
        )?
        .execute(params![
            integer(place.order.0),
            sequence,
            stored.link_id().as_ref().map(LinkId::as_str),
            intent.strategy.map(|strategy| strategy.0),
            place.instrument.0,
            terms.symbol,
            side(place.side),
            place.price.map(|price| terms.price(price)),
            terms.quantity(place.quantity),
            terms.quantity(Qty(0)),
            place.quantity.0,
            place.reduce_only,
            OrderStatus::Reserved.as_str(),
            integer(intent.at.0),
        ])?;
    Ok(())
}

fn reported(database: &Connection, sequence: Sequence, report: &OrderReport) -> Result<About> {
    let Some(order) = order_by_link(database, report.link.as_ref())? else {
        return Ok(About::instrument(report.instrument));
    };
    let terms = terms(database, order.instrument)?;
    database
        .prepare_cached(
            "UPDATE orders SET venue_order = ?2, quantity = ?3, quantity_mantissa = ?4, price = coalesce(?5, price)
             WHERE order_id = ?1",
        )?
        .execute(params![
            order.id,
            report.venue_order.as_str(),
            terms.quantity(report.quantity),
            report.quantity.0,
            report.price.map(|price| terms.price(price)),
        ])?;
    change(database, sequence, Some(order), OrderEvent::Reported(report.status))
}

fn executed(database: &Connection, sequence: Sequence, execution: &Execution) -> Result<About> {
    let order = order_by_link(database, execution.link.as_ref())?;
    let terms = terms(database, execution.instrument)?;
    let kind = match execution.kind {
        ExecutionKind::Trade => "trade",
        ExecutionKind::Funding => "funding",
        ExecutionKind::Deleveraging => "deleveraging",
        ExecutionKind::Liquidation => "liquidation",
        ExecutionKind::Settlement => "settlement",
    };
    database
        .prepare_cached(
            "INSERT INTO executions (sequence, exec, kind, order_id, strategy, symbol, side, price, quantity, fee, maker,
               venue_time)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            integer(sequence.0),
            execution.exec.as_str(),
            kind,
            order.as_ref().map(|order| order.id),
            order.as_ref().and_then(|order| order.strategy),
            terms.symbol,
            side(execution.side),
            terms.price(execution.price),
            terms.quantity(execution.quantity),
            execution.fee.to_string(),
            execution.maker,
            integer(execution.venue_time.0),
        ])?;
    let Some(order) = order.filter(|_| execution.kind != ExecutionKind::Funding) else {
        return Ok(About::instrument(execution.instrument));
    };
    let total = order.executed.saturating_add(execution.quantity.0);
    database
        .prepare_cached("UPDATE orders SET executed = ?2, executed_mantissa = ?3 WHERE order_id = ?1")?
        .execute(params![order.id, terms.quantity(Qty(total)), total])?;
    let event = if total >= order.quantity { OrderEvent::WholeFilled } else { OrderEvent::PartFilled };
    change(database, sequence, Some(order), event)
}

/// Moves an order's status by the lifecycle table; a change that the table does not allow leaves it as it is, as in the gate.
fn change(
    database: &Connection,
    sequence: Sequence,
    order: Option<OrderRow>,
    event: OrderEvent,
) -> Result<About> {
    if let Some(order) = &order
        && let Ok(status) = order.status.next(event)
    {
        database
            .prepare_cached("UPDATE orders SET status = ?2, updated = ?3 WHERE order_id = ?1")?
            .execute(params![order.id, status.as_str(), integer(sequence.0)])?;
    }
    Ok(About::order(order))
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
