//! A strategy compiled natively, behind the SDK's own frame driver (RULES P3a): what the sandbox is compared with, and what tests of the
//! lab run.

use portcullis_core as core;
use portcullis_lab::{Guest, GuestFault};
use portcullis_sdk::testing::Driver;
use portcullis_sdk::{ActionBody, OrderKind, Setup, Side, Strategy, TimeInForce, TriggerDirection};

/// A strategy without its sandbox.
#[derive(Debug)]
pub(crate) struct Native<S>(Driver<S>);

impl<S: Strategy> Native<S> {
    /// Makes the strategy.
    pub(crate) fn new(setup: &Setup) -> Result<Self, portcullis_sdk::InitError> {
        Driver::new(setup).map(Self)
    }
}

impl<S: Strategy> Guest for Native<S> {
    fn on_frame(&mut self, frame: &[u8]) -> Result<core::Outcome, GuestFault> {
        let outcome = self.0.on_frame(frame);
        let outcome = outcome.map_err(|error| GuestFault { code: "TRAP", detail: format!("{error:?}") })?;
        let actions = outcome.actions.into_iter();
        let actions = actions.map(|action| core::Action { cause: action.cause, body: body(action.body) });
        Ok(core::Outcome { consumed: outcome.consumed, actions: actions.collect() })
    }
}

fn body(body: ActionBody) -> core::ActionBody {
    match body {
        ActionBody::Place(place) => core::ActionBody::Place(core::Place {
            instrument: place.instrument.0,
            side: match place.side {
                Side::Buy => core::Side::Buy,
                Side::Sell => core::Side::Sell,
            },
            quantity: core::Qty(place.quantity.mantissa()),
            limit: match place.kind {
                OrderKind::Market => None,
                OrderKind::Limit(price) => Some(core::Price(price.mantissa())),
            },
            time_in_force: match place.time_in_force {
                TimeInForce::Gtc => core::TimeInForce::Gtc,
                TimeInForce::Ioc => core::TimeInForce::Ioc,
                TimeInForce::Fok => core::TimeInForce::Fok,
                TimeInForce::PostOnly => core::TimeInForce::PostOnly,
            },
            reduce_only: place.reduce_only,
            trigger: place.trigger.map(|trigger| core::Trigger {
                price: core::Price(trigger.price.mantissa()),
                rising: matches!(trigger.direction, TriggerDirection::Rise),
            }),
            take_profit: place.take_profit.map(|price| core::Price(price.mantissa())),
            stop_loss: place.stop_loss.map(|price| core::Price(price.mantissa())),
            good_till: place.good_till.map(|time| core::Timestamp(time.nanos())),
            tag: place.tag,
        }),
        ActionBody::Amend(amend) => core::ActionBody::Amend(core::Amend {
            order: core::OrderNumber(amend.order.0),
            limit: amend.price.map(|price| core::Price(price.mantissa())),
            quantity: amend.quantity.map(|quantity| core::Qty(quantity.mantissa())),
        }),
        ActionBody::Cancel(order) => core::ActionBody::Cancel(core::OrderNumber(order.0)),
        ActionBody::CancelAll(instrument) => core::ActionBody::CancelAll(instrument.map(|id| id.0)),
        ActionBody::Flatten(instrument) => core::ActionBody::Flatten(instrument.0),
        ActionBody::SetTimer(timer) => {
            core::ActionBody::SetTimer { id: timer.id, at: timer.at.map(|at| core::Timestamp(at.nanos())) }
        }
        ActionBody::Log(line) => core::ActionBody::Log { level: core::LogLevel::Info, message: line.message },
        ActionBody::Metric(metric) => core::ActionBody::Metric { name: metric.name, value: metric.value },
    }
}
