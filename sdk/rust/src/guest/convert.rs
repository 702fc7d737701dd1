//! Between the SDK's types and those of the WIT.

use super::wit;
use crate::{Amount, Instrument, InstrumentId, Price, Qty, Rate, Setup, Time, action, description};

impl From<wit::Setup> for Setup {
    fn from(setup: wit::Setup) -> Self {
        let instruments = (0..).map(InstrumentId).zip(setup.instruments).map(|(id, instrument)| Instrument {
            id,
            symbol: instrument.symbol,
            price_decimals: instrument.price_decimals,
            quantity_decimals: instrument.quantity_decimals,
            tick: Price::from_mantissa(instrument.tick),
            step: Qty::from_mantissa(instrument.step),
            min_quantity: Qty::from_mantissa(instrument.min_quantity),
            max_quantity: Qty::from_mantissa(instrument.max_quantity),
            max_market_quantity: Qty::from_mantissa(instrument.max_market_quantity),
            min_notional: instrument.min_notional.into(),
            taker_fee: Rate::from_units(instrument.taker_fee),
            maker_fee: Rate::from_units(instrument.maker_fee),
            trading: true,
        });
        Self {
            parameters: setup.parameters,
            instruments: instruments.collect(),
            budget: setup.budget.into(),
            start_time: Time::from_nanos(setup.start_time),
        }
    }
}

impl From<wit::Amount> for Amount {
    fn from(amount: wit::Amount) -> Self {
        Self::from_units((i128::from(amount.high) << 64) | i128::from(amount.low))
    }
}

impl From<description::Description> for wit::Description {
    fn from(description: description::Description) -> Self {
        Self {
            name: description.name,
            version: description.version,
            parameters: description.parameters.into_iter().map(Into::into).collect(),
            subscriptions: description.subscriptions.into_iter().map(Into::into).collect(),
            metrics: description.metrics,
            snapshot_version: description.snapshot_version,
        }
    }
}

impl From<description::Parameter> for wit::Parameter {
    fn from(parameter: description::Parameter) -> Self {
        use description::ParameterKind as Kind;
        let kind = match parameter.kind {
            Kind::Integer { min, max } => wit::ParameterKind::Integer(wit::IntegerRange { min, max }),
            Kind::Decimal { min, max } => wit::ParameterKind::Decimal(wit::DecimalRange { min, max }),
            Kind::Boolean => wit::ParameterKind::Boolean,
            Kind::Choice(words) => wit::ParameterKind::Choice(words),
        };
        Self { name: parameter.name, doc: parameter.doc, kind, default: parameter.default }
    }
}

impl From<description::Subscription> for wit::Subscription {
    fn from(subscription: description::Subscription) -> Self {
        use description::Stream;
        let stream = match subscription.stream {
            Stream::Trades => wit::Stream::Trades,
            Stream::Quotes => wit::Stream::Quotes,
            Stream::Book { levels } => wit::Stream::Book(levels),
            Stream::Bars { interval_seconds, warm_up } => {
                wit::Stream::Bars(wit::Bars { interval_s: interval_seconds, warm_up })
            }
            Stream::Funding => wit::Stream::Funding,
            Stream::Mark => wit::Stream::Mark,
        };
        Self { symbol: subscription.symbol, stream }
    }
}

impl From<crate::InitError> for wit::InitError {
    fn from(error: crate::InitError) -> Self {
        match error {
            crate::InitError::BadParameter(text) => Self::BadParameter(text),
            crate::InitError::UnsuitableInstrument(text) => Self::UnsuitableInstrument(text),
            crate::InitError::Other(text) => Self::Other(text),
        }
    }
}

impl From<crate::RestoreError> for wit::RestoreError {
    fn from(error: crate::RestoreError) -> Self {
        match error {
            crate::RestoreError::UnsupportedVersion => Self::UnsupportedVersion,
            crate::RestoreError::Malformed => Self::Malformed,
        }
    }
}

impl From<action::Outcome> for wit::Outcome {
    fn from(outcome: action::Outcome) -> Self {
        Self { consumed: outcome.consumed, actions: outcome.actions.into_iter().map(Into::into).collect() }
    }
}

impl From<action::Action> for wit::Action {
    fn from(action: action::Action) -> Self {
        use action::ActionBody as Body;
        let body = match action.body {
            Body::Place(place) => wit::ActionBody::Place(place.into()),
            Body::Amend(amend) => wit::ActionBody::Amend(wit::Amend {
                order: amend.order.0,
                price: amend.price.map(Price::mantissa),
                quantity: amend.quantity.map(Qty::mantissa),
            }),
            Body::Cancel(order) => wit::ActionBody::Cancel(order.0),
            Body::CancelAll(instrument) => wit::ActionBody::CancelAll(instrument.map(|id| id.0)),
            Body::Flatten(instrument) => wit::ActionBody::Flatten(instrument.0),
            Body::SetTimer(timer) => {
                wit::ActionBody::SetTimer(wit::Timer { id: timer.id, at: timer.at.map(Time::nanos) })
            }
            Body::Log(line) => wit::ActionBody::Log(wit::LogLine {
                level: match line.level {
                    action::LogLevel::Debug => wit::LogLevel::Debug,
                    action::LogLevel::Info => wit::LogLevel::Info,
                    action::LogLevel::Warn => wit::LogLevel::Warn,
                    action::LogLevel::Error => wit::LogLevel::Error,
                },
                message: line.message,
            }),
            Body::Metric(metric) => {
                wit::ActionBody::Metric(wit::Metric { name: metric.name, value: metric.value })
            }
        };
        Self { cause: action.cause, body }
    }
}

impl From<action::Place> for wit::Place {
    fn from(place: action::Place) -> Self {
        use action::{OrderKind, Side, TimeInForce, TriggerDirection};
        Self {
            instrument: place.instrument.0,
            side: match place.side {
                Side::Buy => wit::Side::Buy,
                Side::Sell => wit::Side::Sell,
            },
            quantity: place.quantity.mantissa(),
            kind: match place.kind {
                OrderKind::Market => wit::OrderKind::Market,
                OrderKind::Limit(price) => wit::OrderKind::Limit(price.mantissa()),
            },
            time_in_force: match place.time_in_force {
                TimeInForce::Gtc => wit::TimeInForce::Gtc,
                TimeInForce::Ioc => wit::TimeInForce::Ioc,
                TimeInForce::Fok => wit::TimeInForce::Fok,
                TimeInForce::PostOnly => wit::TimeInForce::PostOnly,
            },
            reduce_only: place.reduce_only,
            trigger: place.trigger.map(|trigger| wit::Trigger {
                price: trigger.price.mantissa(),
                direction: match trigger.direction {
                    TriggerDirection::Rise => wit::TriggerDirection::Rise,
                    TriggerDirection::Fall => wit::TriggerDirection::Fall,
                },
            }),
            take_profit: place.take_profit.map(Price::mantissa),
            stop_loss: place.stop_loss.map(Price::mantissa),
            good_till: place.good_till.map(Time::nanos),
            tag: place.tag,
        }
    }
}
