//! The stop rule, case by case.

use portcullis_sdk::testing::{self, Driver, FrameBuilder};
use portcullis_sdk::{
    Context, Description, Event, InitError, InstrumentId, LogLevel, OrderNumber, Price, Qty, Setup, Side,
    Strategy, Time, TimerFired, Trade,
};
use serde_json::Value;

use super::golden;

/// Does at each event what the case says.
struct Script {
    /// The actions of each event; the first ones, in frames of their own, set the timers of the case.
    actions: Vec<Vec<Value>>,
    seen: usize,
}

impl Strategy for Script {
    fn describe() -> Description {
        Description::new("script", "0.1.0").metric("gauge")
    }

    fn new(setup: &Setup) -> Result<Self, InitError> {
        let actions = serde_json::from_str(setup.text("actions")?)
            .map_err(|error| InitError::Other(error.to_string()))?;
        Ok(Self { actions, seen: 0 })
    }

    fn on_trade(&mut self, _trade: &Trade, ctx: &mut Context) {
        self.step(ctx);
    }

    fn on_timer(&mut self, _timer: &TimerFired, ctx: &mut Context) {
        self.step(ctx);
    }
}

impl Script {
    fn step(&mut self, ctx: &mut Context) {
        for action in &self.actions[self.seen] {
            act(action, ctx);
        }
        self.seen += 1;
    }
}

fn act(action: &Value, ctx: &mut Context) {
    let on = InstrumentId(0);
    match action.as_str() {
        Some("place") => {
            ctx.buy(on).market(Qty::from_mantissa(1));
        }
        Some("amend") => ctx.amend_price(OrderNumber(1), Price::from_mantissa(1)),
        Some("cancel") => ctx.cancel(OrderNumber(1)),
        Some("cancel-all") => ctx.cancel_all(None),
        Some("flatten") => ctx.flatten(on),
        Some("log") => ctx.log(LogLevel::Info, "text"),
        Some("metric") => ctx.metric("gauge", 1.0),
        Some(other) => panic!("no action {other}"),
        None => {
            if let Some(timer) = action.get("set-timer") {
                let id = number(&timer["id"]);
                match &timer["at"] {
                    Value::Null => ctx.clear_timer(id),
                    at => {
                        ctx.set_timer(id, Time::from_nanos(number(at)));
                    }
                }
            } else {
                for _ in 0..number(&action["times"]) {
                    act(&action["action"], ctx);
                }
            }
        }
    }
}

#[test]
fn every_case_consumes_what_the_file_says() {
    let file: Value =
        serde_json::from_str(&std::fs::read_to_string(golden("stop-rule.json")).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() > 25, "the file lost its cases");
    for case in cases {
        assert_eq!(consumed(case), number(&case["consumed"]), "{}", case["name"]);
    }
}

/// Runs a case.
fn consumed(case: &Value) -> u64 {
    let events = expand(case["events"].as_array().unwrap());
    let set = |timer: &Value| serde_json::json!({ "set-timer": timer });
    let timers: Vec<_> = case["timers"].as_array().into_iter().flatten().map(set).collect();
    // An event may cause 32 actions and a case may start with 64 timers, so each is set by an event of its own.
    let mut actions: Vec<_> = timers.iter().map(|timer| vec![timer.clone()]).collect();
    actions.extend(events.iter().map(|event| event["actions"].as_array().cloned().unwrap_or_default()));

    let mut setup = testing::setup::<Script>(&[testing::instrument("linear:BTCUSDT")], &[]).unwrap();
    setup
        .parameters
        .push(("actions".to_owned(), Value::from_iter(actions.into_iter().map(Value::from)).to_string()));
    let mut driver = Driver::<Script>::new(&setup).unwrap();
    for _ in &timers {
        driver.on_frame(&FrameBuilder::new(0).event(&trade(0)).finish()).unwrap();
    }

    let mut frame = FrameBuilder::new(number(&case["lookahead"]));
    for event in &events {
        let time = number(&event["time"]);
        match event.get("fires") {
            Some(id) => {
                frame.push(&Event::Timer(TimerFired { time: Time::from_nanos(time), id: number(id) }))
            }
            None => frame.push(&trade(time)),
        }
    }
    let outcome = driver.on_frame(&frame.finish()).unwrap();
    assert!(outcome.actions.iter().all(|action| action.cause < outcome.consumed), "{}", case["name"]);
    u64::from(outcome.consumed)
}

/// Writes out events that the file repeats.
fn expand(events: &[Value]) -> Vec<Value> {
    let copies = |event: &Value| event.get("repeat").map_or(1, number);
    events.iter().flat_map(|event| (0..copies(event)).map(|_| event.clone())).collect()
}

fn trade(time: u64) -> Event<'static> {
    let time = Time::from_nanos(time);
    let (price, quantity) = (Price::from_mantissa(600_000), Qty::from_mantissa(1));
    Event::Trade(Trade {
        time,
        venue_time: time,
        instrument: InstrumentId(0),
        price,
        quantity,
        taker: Side::Buy,
    })
}

/// A number, or one written as text because it may be above 2^53.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}
