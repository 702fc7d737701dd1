//! What the SDK does around a strategy: set-up, instruments, order numbers, timers, restarts, malformed frames.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use portcullis_sdk::frame::FrameError;
use portcullis_sdk::testing::{self, Driver, FrameBuilder};
use portcullis_sdk::{
    Action, ActionBody, Amount, Context, Description, Event, InitError, InstrumentId, InstrumentUpdate,
    LogLevel, OrderNumber, Parameter, Price, Qty, Rate, RestoreError, Resync, Setup, Side, Strategy, Time,
    TimerFired, Trade,
};

/// Writes a log line with the number of its next order at each trade, sets timer 1 at the first.
struct Counter {
    trades: u64,
}

impl Strategy for Counter {
    fn describe() -> Description {
        Description::new("counter", "0.1.0")
            .parameter(Parameter::integer("length", "An integer.", -10, 1_000).default_value("300"))
            .parameter(Parameter::decimal("price", "A price.", "0", "100000").default_value("60000.5"))
            .parameter(Parameter::decimal("weight", "A float.", "0", "1").default_value("0.25"))
            .parameter(Parameter::boolean("loud", "A switch.").default_value("true"))
    }

    fn new(_setup: &Setup) -> Result<Self, InitError> {
        Ok(Self { trades: 0 })
    }

    fn on_trade(&mut self, trade: &Trade, ctx: &mut Context) {
        if self.trades == 0 {
            ctx.set_timer(1, at(1_000));
        }
        self.trades += 1;
        let number = ctx.buy(trade.instrument).market(Qty::from_mantissa(1)).number();
        ctx.log(LogLevel::Info, format!("order {}", number.0));
    }

    fn on_instrument(&mut self, update: &InstrumentUpdate, ctx: &mut Context) {
        let known = ctx.instrument(update.instrument).unwrap();
        assert_eq!(
            (known.tick, known.trading, known.maker_fee),
            (update.tick, update.trading, update.maker_fee)
        );
        assert_eq!(known.symbol, "linear:BTCUSDT");
    }
}

fn setup() -> Setup {
    testing::setup::<Counter>(&[testing::instrument("linear:BTCUSDT")], &[]).unwrap()
}

fn start() -> Driver<Counter> {
    Driver::new(&setup()).unwrap()
}

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

fn trade(nanos: u64) -> Event<'static> {
    trade_of(InstrumentId(0), nanos)
}

fn trade_of(instrument: InstrumentId, nanos: u64) -> Event<'static> {
    Event::Trade(Trade {
        time: at(nanos),
        venue_time: at(nanos),
        instrument,
        price: Price::from_mantissa(600_000),
        quantity: Qty::from_mantissa(1),
        taker: Side::Buy,
    })
}

fn frame(lookahead: u64, events: &[Event<'_>]) -> Vec<u8> {
    let mut frame = FrameBuilder::new(lookahead);
    events.iter().for_each(|event| frame.push(event));
    frame.finish()
}

/// The log lines among the actions.
fn lines(actions: &[Action]) -> Vec<String> {
    let line = |action: &Action| match &action.body {
        ActionBody::Log(line) => Some(line.message.clone()),
        _ => None,
    };
    actions.iter().filter_map(line).collect()
}

#[test]
fn order_numbers_run_on_over_frames_restarts_and_resyncs() {
    let mut driver = start();
    let outcome = driver.on_frame(&frame(u64::MAX, &[trade(1), trade(2)])).unwrap();
    assert_eq!(outcome.consumed, 2);
    assert_eq!(lines(&outcome.actions), ["order 1", "order 2"]);

    let mut restarted = start();
    restarted.restore(0, &driver.snapshot()).unwrap();
    let outcome = restarted.on_frame(&frame(u64::MAX, &[trade(3)])).unwrap();
    assert_eq!(lines(&outcome.actions), ["order 3"]);

    // Without a snapshot only the host knows the count.
    let resync = Event::Resync(Resync { time: at(4), open_orders: 0, next_order: OrderNumber(4) });
    let outcome = start().on_frame(&frame(u64::MAX, &[resync, trade(4)])).unwrap();
    assert_eq!(lines(&outcome.actions), ["order 4"]);
}

/// Moves timer 1 at each timer event of another id.
struct Mover;

impl Strategy for Mover {
    fn describe() -> Description {
        Description::new("mover", "0.1.0")
    }

    fn new(_setup: &Setup) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn on_timer(&mut self, timer: &TimerFired, ctx: &mut Context) {
        if timer.id != 1 {
            ctx.set_timer(1, at(timer.id));
        }
    }
}

#[test]
fn the_end_of_time_is_no_reason_to_stop() {
    let end = u64::MAX;
    let timer = |id| Event::Timer(TimerFired { time: at(end), id });
    let setup = testing::setup::<Mover>(&[], &[]).unwrap();
    let mut idle = Driver::<Mover>::new(&setup).unwrap();
    assert_eq!(idle.on_frame(&frame(100, &[timer(1), timer(1)])).unwrap().consumed, 2, "nothing done");
    // A timer at the very end is one all the same.
    assert_eq!(idle.on_frame(&frame(100, &[timer(end), timer(1)])).unwrap().consumed, 1);

    let mut driver = start();
    driver.on_frame(&frame(0, &[trade(2_000)])).unwrap();
    let reaching = driver.on_frame(&frame(1, &[trade(end - 1), trade(end)])).unwrap();
    assert_eq!(reaching.consumed, 1, "its consequence can be seen at the end itself");
    let beyond = driver.on_frame(&frame(2, &[trade(end - 1), trade(end)])).unwrap();
    assert_eq!(beyond.consumed, 2, "its consequence can never be seen");
}

#[test]
fn timers_are_remembered_over_a_restart_and_forgotten_at_a_resync() {
    let setup = testing::setup::<Mover>(&[], &[]).unwrap();
    let timer = |nanos, id| Event::Timer(TimerFired { time: at(nanos), id });
    let moved = frame(u64::MAX, &[timer(10, 5_000), timer(999, 1), timer(1_000, 1), timer(1_001, 1)]);

    let mut driver = Driver::<Mover>::new(&setup).unwrap();
    driver.on_frame(&frame(u64::MAX, &[timer(5, 1_000)])).unwrap();
    let mut restarted = Driver::<Mover>::new(&setup).unwrap();
    restarted.restore(0, &driver.snapshot()).unwrap();
    // The old time, 1,000, bounds the frame, because the timer may have been going to fire there.
    assert_eq!(restarted.on_frame(&moved).unwrap().consumed, 2);

    let resync = Event::Resync(Resync { time: at(6), open_orders: 0, next_order: OrderNumber(1) });
    driver.on_frame(&frame(u64::MAX, &[resync])).unwrap();
    assert_eq!(driver.on_frame(&moved).unwrap().consumed, 4);
}

#[test]
fn new_trading_rules_are_known_when_the_handler_runs() {
    let known = testing::instrument("linear:BTCUSDT");
    let update = |instrument| {
        Event::Instrument(InstrumentUpdate {
            time: at(1),
            venue_time: at(1),
            instrument,
            trading: false,
            price_decimals: known.price_decimals,
            quantity_decimals: known.quantity_decimals,
            tick: Price::from_mantissa(5),
            step: known.step,
            min_quantity: known.min_quantity,
            max_quantity: known.max_quantity,
            max_market_quantity: known.max_market_quantity,
            min_notional: known.min_notional,
            taker_fee: known.taker_fee,
            maker_fee: Rate::from_units(-1),
        })
    };
    assert_eq!(start().on_frame(&frame(0, &[update(InstrumentId(0))])).unwrap().consumed, 1);
    let unknown = frame(0, &[update(InstrumentId(1))]);
    assert_eq!(start().on_frame(&unknown), Err(FrameError::UnknownInstrument));
}

#[test]
fn parameters_read_as_what_they_are_or_say_why_not() {
    let setup = setup();
    let btc = &setup.instruments[0];
    assert_eq!(setup.integer::<u32>("length"), Ok(300));
    assert_eq!(setup.price("price", btc), Ok(Price::from_mantissa(600_005)));
    assert_eq!(setup.float("weight"), Ok(0.25));
    assert_eq!(setup.boolean("loud"), Ok(true));
    assert_eq!(setup.budget, "100000".parse::<Amount>().unwrap());
    let bad = |text: &str| InitError::BadParameter(text.to_owned());
    assert_eq!(setup.integer::<u8>("length"), Err(bad("length: out of range")));
    assert_eq!(setup.integer::<u8>("price"), Err(bad("price: not a whole number")));
    assert_eq!(setup.quantity("loud", btc), Err(bad("loud: not a decimal number")));
    assert_eq!(setup.price("weight", btc), Err(bad("weight: more decimals than the instrument has")));
    assert_eq!(setup.float("loud"), Err(bad("loud: not a number")));
    assert_eq!(setup.boolean("weight"), Err(bad("weight: neither true nor false")));
    assert_eq!(setup.text("colour"), Err(bad("colour: missing")));
}

#[test]
fn each_kind_of_malformed_frame_has_its_error() {
    let good = frame(0, &[trade(1), trade(2)]);
    assert_eq!(start().on_frame(&good).unwrap().consumed, 1);
    let with = |at: usize, bytes: &[u8]| {
        let mut frame = good.clone();
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        start().on_frame(&frame)
    };
    assert_eq!(start().on_frame(b""), Err(FrameError::NotAFrame));
    assert_eq!(with(0, b"PCF2"), Err(FrameError::NotAFrame));
    assert_eq!(with(4, &[2]), Err(FrameError::UnsupportedVersion(2)));
    assert_eq!(with(16, &[0]), Err(FrameError::WrongCount));
    assert_eq!(with(16, &4_097_u32.to_le_bytes()), Err(FrameError::WrongCount));
    assert_eq!(with(20, &[0]), Err(FrameError::WrongLength));
    let first = 24;
    assert_eq!(with(first + 2, &[8]), Err(FrameError::BadRecord), "shorter than a record header");
    assert_eq!(with(first + 2, &[40]), Err(FrameError::BadRecord), "shorter than a trade");
    assert_eq!(with(first + 2, &[44]), Err(FrameError::BadRecord), "no multiple of 8");
    assert_eq!(with(first + 2, &[0xF8, 0xFF]), Err(FrameError::BadRecord), "longer than the frame");
    assert_eq!(with(first + 40, &[3]), Err(FrameError::BadValue), "no side");
    let unknown = frame(0, &[trade_of(InstrumentId(1), 1)]);
    assert_eq!(start().on_frame(&unknown), Err(FrameError::UnknownInstrument));

    // The second record is read only if nothing stops before it.
    let quiet = frame(u64::MAX, &[trade(1), trade(2)]);
    let mut back = quiet.clone();
    back[first + 48 + 8] = 0;
    assert_eq!(start().on_frame(&back), Err(FrameError::TimeGoesBack));
    let mut fewer = quiet;
    fewer[16] = 1;
    assert_eq!(start().on_frame(&fewer), Err(FrameError::WrongCount));
}

#[test]
fn a_strategy_without_state_takes_only_an_empty_snapshot() {
    let mut driver = start();
    let mut snapshot = driver.snapshot();
    assert_eq!(driver.restore(7, &snapshot), Ok(()));
    snapshot.push(0);
    assert_eq!(driver.restore(7, &snapshot), Err(RestoreError::UnsupportedVersion));
    assert_eq!(driver.restore(7, b""), Err(RestoreError::Malformed));
}

/// Cancels everything as often as the timer's id says.
struct Canceller;

impl Strategy for Canceller {
    fn describe() -> Description {
        Description::new("canceller", "0.1.0")
    }

    fn new(_setup: &Setup) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn on_timer(&mut self, timer: &TimerFired, ctx: &mut Context) {
        for _ in 0..timer.id {
            ctx.cancel_all(None);
        }
    }
}

fn cancel(times: u64) -> usize {
    let mut driver = Driver::<Canceller>::new(&testing::setup::<Canceller>(&[], &[]).unwrap()).unwrap();
    let timer = |nanos| Event::Timer(TimerFired { time: at(nanos), id: times });
    driver.on_frame(&frame(u64::MAX, &[timer(1), timer(2)])).unwrap().actions.len()
}

#[test]
fn each_event_may_cause_32_actions() {
    assert_eq!(cancel(32), 64);
}

#[test]
#[should_panic(expected = "more than 32 actions on one event")]
fn a_33rd_action_ends_the_instance() {
    cancel(33);
}
