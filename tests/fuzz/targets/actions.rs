//! What a strategy returns, from the bytes of its cell's reply to the commands that the gate lets go.

use portcullis_cell::{CellReply, FrameOutcome};
use portcullis_core::frame::{RecordMark, TimerEffect, Timers, check_outcome};
use portcullis_core::{
    Action, ActionBody, Amend, Ask, Command, InstrumentSpec, LogLevel, OrderNumber, Outcome, Place, Price,
    Qty, Side, Span, TimeInForce, Timestamp,
};

use super::messages::bounded;
use super::world::{BTC, TAKER, World, spec};

/// Instrument of the seeds.
pub fn instrument() -> InstrumentSpec {
    spec(BTC, "BTCUSDT", 2, 3)
}

/// Everything that a strategy can return for one frame.
pub fn outcome() -> Outcome {
    Outcome { consumed: 64, actions: orders() }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let one = |action: Action| Outcome { consumed: 64, actions: vec![action] };
    let outcomes = orders().into_iter().map(one).chain([outcome()]);
    let reply = |outcome| CellReply::Outcome(FrameOutcome { outcome, fuel: 3 });
    outcomes.map(|outcome| postcard::to_allocvec(&reply(outcome)).unwrap()).collect()
}

/// What is decoded is within the contract, and what the gate lets go of it is an order that the instrument's rules allow.
pub fn run(input: &[u8]) -> bool {
    let Ok((CellReply::Outcome(reply), [])) = postcard::take_from_bytes::<CellReply>(input) else {
        return false;
    };
    bounded(&reply.outcome);
    let mark = |at: u64| RecordMark { time: Timestamp(1_000 + at), timers: TimerEffect::None };
    let marks: Vec<RecordMark> = (0..64).map(mark).collect();
    // No lookahead bounds 64 records within 64 ns, so that a whole outcome is as good as its actions.
    if check_outcome(&marks, &Timers::default(), Span(1_000), &reply.outcome).is_err() {
        return true;
    }
    let mut world = World::new();
    for action in reply.outcome.actions.into_iter().take(8) {
        let ask = match action.body {
            ActionBody::Place(place) => Ask::Place(place),
            ActionBody::Amend(amend) => Ask::Amend(amend),
            ActionBody::Cancel(order) => Ask::Cancel(order),
            ActionBody::CancelAll(instrument) => Ask::CancelAll(instrument),
            ActionBody::Flatten(instrument) => Ask::Flatten(instrument),
            ActionBody::SetTimer { .. } | ActionBody::Log { .. } | ActionBody::Metric { .. } => continue,
        };
        world.ask(TAKER, ask);
    }
    for (_, command) in &world.sent {
        sound(command);
    }
    true
}

/// Prices are positive and on the tick, quantities positive, on the step and within the venue's bounds.
fn sound(command: &Command) {
    let spec = instrument();
    let price = |price: &Option<Price>| {
        assert!(price.is_none_or(|price| price.0 > 0 && price.0 % spec.tick.0 == 0), "{command:?}");
    };
    let quantity = |quantity: Qty| {
        let fits = quantity >= spec.min_quantity && quantity <= spec.max_quantity;
        assert!(fits && quantity.0 % spec.step.0 == 0, "{command:?}");
    };
    match command {
        Command::Place(place) => {
            price(&place.price);
            price(&place.take_profit);
            price(&place.stop_loss);
            price(&place.trigger.map(|trigger| trigger.price));
            quantity(place.quantity);
        }
        Command::Amend(amend) => {
            price(&amend.price);
            amend.quantity.into_iter().for_each(quantity);
        }
        Command::Cancel(_) | Command::CancelAll(_) | Command::SetProtection(_) => {}
    }
}

/// One action of each kind.
fn orders() -> Vec<Action> {
    let place = Place {
        instrument: 0,
        side: Side::Buy,
        quantity: Qty(10),
        limit: Some(Price(5_990_000)),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        trigger: None,
        take_profit: Some(Price(6_100_000)),
        stop_loss: Some(Price(5_900_000)),
        good_till: None,
        tag: 1,
    };
    let market = Place {
        limit: None,
        time_in_force: TimeInForce::Ioc,
        take_profit: None,
        stop_loss: None,
        ..place.clone()
    };
    let bodies = [
        ActionBody::Place(place),
        ActionBody::Place(market),
        ActionBody::Amend(Amend { order: OrderNumber(1), limit: Some(Price(5_980_000)), quantity: None }),
        ActionBody::Cancel(OrderNumber(1)),
        ActionBody::CancelAll(Some(0)),
        ActionBody::Flatten(0),
        ActionBody::SetTimer { id: 1, at: Some(Timestamp(9)) },
        ActionBody::Log { level: LogLevel::Info, message: "line".to_owned() },
        ActionBody::Metric { name: "gauge".to_owned(), value: 0.5 },
    ];
    bodies.into_iter().map(|body| Action { cause: 0, body }).collect()
}
