//! The contract's types to ours, with every text cut to its bound.

use portcullis_core::{
    Action, ActionBody, Amend, LogLevel, OrderNumber, Outcome, Place, Price, Qty, Side, TimeInForce,
    Timestamp, Trigger,
};

use super::wit;
use crate::protocol::{
    Description, DescriptionParts, InitRefusal, InvalidDescription, LOG_LINE_BYTES_MAX,
    METRIC_NAME_BYTES_MAX, Parameter, ParameterKind, RestoreRefusal, Stream, Subscription, cut,
};

/// An outcome whose log lines are cut, each to its own bound and those of one event together to `log_bytes_max`.
pub(super) fn outcome(outcome: wit::Outcome, log_bytes_max: usize) -> Outcome {
    let mut logs = LogBudget { cause: 0, left: log_bytes_max, each: log_bytes_max };
    let actions = outcome.actions.into_iter().filter_map(|action| convert(action, &mut logs)).collect();
    Outcome { consumed: outcome.consumed, actions }
}

struct LogBudget {
    cause: u32,
    left: usize,
    each: usize,
}

impl LogBudget {
    /// The line, cut; nothing when the event has used up its bytes.
    fn fit(&mut self, cause: u32, mut line: String) -> Option<String> {
        if cause != self.cause {
            *self = Self { cause, left: self.each, each: self.each };
        }
        cut(&mut line, LOG_LINE_BYTES_MAX.min(self.left));
        self.left = self.left.saturating_sub(line.len());
        (!line.is_empty()).then_some(line)
    }
}

fn convert(action: wit::Action, logs: &mut LogBudget) -> Option<Action> {
    let body = match action.body {
        wit::ActionBody::Place(place) => ActionBody::Place(self::place(&place)),
        wit::ActionBody::Amend(amend) => ActionBody::Amend(Amend {
            order: OrderNumber(amend.order),
            limit: amend.price.map(Price),
            quantity: amend.quantity.map(Qty),
        }),
        wit::ActionBody::Cancel(order) => ActionBody::Cancel(OrderNumber(order)),
        wit::ActionBody::CancelAll(instrument) => ActionBody::CancelAll(instrument),
        wit::ActionBody::Flatten(instrument) => ActionBody::Flatten(instrument),
        wit::ActionBody::SetTimer(timer) => {
            ActionBody::SetTimer { id: timer.id, at: timer.at.map(Timestamp) }
        }
        wit::ActionBody::Log(log) => {
            ActionBody::Log { level: level(log.level), message: logs.fit(action.cause, log.message)? }
        }
        wit::ActionBody::Metric(metric) => {
            ActionBody::Metric { name: metric_name(metric.name), value: canonical(metric.value) }
        }
    };
    Some(Action { cause: action.cause, body })
}

fn place(place: &wit::Place) -> Place {
    Place {
        instrument: place.instrument,
        side: match place.side {
            wit::Side::Buy => Side::Buy,
            wit::Side::Sell => Side::Sell,
        },
        quantity: Qty(place.quantity),
        limit: match place.kind {
            wit::OrderKind::Market => None,
            wit::OrderKind::Limit(price) => Some(Price(price)),
        },
        time_in_force: match place.time_in_force {
            wit::TimeInForce::Gtc => TimeInForce::Gtc,
            wit::TimeInForce::Ioc => TimeInForce::Ioc,
            wit::TimeInForce::Fok => TimeInForce::Fok,
            wit::TimeInForce::PostOnly => TimeInForce::PostOnly,
        },
        reduce_only: place.reduce_only,
        trigger: place.trigger.map(|trigger| Trigger {
            price: Price(trigger.price),
            rising: matches!(trigger.direction, wit::TriggerDirection::Rise),
        }),
        take_profit: place.take_profit.map(Price),
        stop_loss: place.stop_loss.map(Price),
        good_till: place.good_till.map(Timestamp),
        tag: place.tag,
    }
}

const fn level(level: wit::LogLevel) -> LogLevel {
    match level {
        wit::LogLevel::Debug => LogLevel::Debug,
        wit::LogLevel::Info => LogLevel::Info,
        wit::LogLevel::Warn => LogLevel::Warn,
        wit::LogLevel::Error => LogLevel::Error,
    }
}

/// A name above the bound cannot have been declared. It is cut and marked, so that what is left cannot be taken for one that was.
fn metric_name(mut name: String) -> String {
    if name.len() > METRIC_NAME_BYTES_MAX {
        cut(&mut name, METRIC_NAME_BYTES_MAX.saturating_sub(1));
        name.push('~');
    }
    name
}

/// A gauge's value with one NaN for all, so that outcomes compare by their bytes.
const fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

pub(super) fn description(from: wit::Description) -> Result<Description, InvalidDescription> {
    DescriptionParts {
        name: from.name,
        version: from.version,
        parameters: from.parameters.into_iter().map(parameter).collect(),
        subscriptions: from.subscriptions.into_iter().map(subscription).collect(),
        metrics: from.metrics,
        snapshot_version: from.snapshot_version,
    }
    .try_into()
}

fn parameter(from: wit::Parameter) -> Parameter {
    let kind = match from.kind {
        wit::ParameterKind::Integer(range) => ParameterKind::Integer { min: range.min, max: range.max },
        wit::ParameterKind::Decimal(range) => ParameterKind::Decimal { min: range.min, max: range.max },
        wit::ParameterKind::Boolean => ParameterKind::Boolean,
        wit::ParameterKind::Choice(words) => ParameterKind::Choice(words),
    };
    Parameter { name: from.name, doc: from.doc, kind, default: from.default }
}

fn subscription(from: wit::Subscription) -> Subscription {
    let stream = match from.stream {
        wit::Stream::Trades => Stream::Trades,
        wit::Stream::Quotes => Stream::Quotes,
        wit::Stream::Book(levels) => Stream::Book { levels },
        wit::Stream::Bars(bars) => Stream::Bars { interval_s: bars.interval_s, warm_up: bars.warm_up },
        wit::Stream::Funding => Stream::Funding,
        wit::Stream::Mark => Stream::Mark,
    };
    Subscription { symbol: from.symbol, stream }
}

pub(super) fn init_refusal(error: wit::InitError) -> InitRefusal {
    match error {
        wit::InitError::BadParameter(text) => InitRefusal::BadParameter(text),
        wit::InitError::UnsuitableInstrument(text) => InitRefusal::UnsuitableInstrument(text),
        wit::InitError::Other(text) => InitRefusal::Other(text),
    }
    .bounded()
}

pub(super) const fn restore_refusal(error: wit::RestoreError) -> RestoreRefusal {
    match error {
        wit::RestoreError::UnsupportedVersion => RestoreRefusal::UnsupportedVersion,
        wit::RestoreError::Malformed => RestoreRefusal::Malformed,
    }
}
