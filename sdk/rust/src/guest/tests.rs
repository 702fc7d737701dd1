//! The component's exports, called natively.

use super::{Slot, describe, wit};
use crate::testing::{FrameBuilder, instrument};
use crate::{
    Amount, Context, Event, InstrumentId, LogLevel, OrderNumber, Price, Qty, Resync, Setup, Side, Strategy,
    Time, TimerFired, description,
};

/// Does everything a strategy can do, once for each timer.
struct Everything;

impl Strategy for Everything {
    fn describe() -> description::Description {
        use crate::{Parameter, Stream};
        description::Description::new("everything", "1.2.3")
            .parameter(Parameter::integer("a", "An integer.", -1, 1).default_value("0"))
            .parameter(Parameter::decimal("b", "A decimal.", "0.1", "0.2"))
            .parameter(Parameter::boolean("c", "A switch."))
            .parameter(Parameter::choice("d", "A word.", &["x", "y"]))
            .subscribe(Stream::Trades)
            .subscribe_to("linear:BTCUSDT", Stream::Bars { interval_seconds: 60, warm_up: 9 })
            .subscribe(Stream::Book { levels: 50 })
            .metric("gauge")
            .snapshot_version(3)
    }

    fn new(setup: &Setup) -> Result<Self, crate::InitError> {
        let first = setup.instruments.first().ok_or(crate::InitError::Other("no instrument".to_owned()))?;
        assert_eq!(
            (first.symbol.as_str(), first.max_market_quantity),
            ("linear:BTCUSDT", Qty::from_mantissa(5))
        );
        assert_eq!(first.min_notional, Amount::from_units(-1));
        assert_eq!(setup.budget, Amount::from_units((7_i128 << 64) | 9));
        Ok(Self)
    }

    fn on_timer(&mut self, timer: &TimerFired, ctx: &mut Context) {
        let id = InstrumentId(0);
        let (price, size) = (Price::from_mantissa(11), Qty::from_mantissa(22));
        let number = ctx.buy(id).market(size).number();
        ctx.sell(id).limit(price, size).post_only().reduce_only().tag(33).good_till(Time::from_nanos(44));
        ctx.order(Side::Sell, id)
            .limit(price, size)
            .fill_or_kill()
            .when_fallen_to(Price::from_mantissa(55))
            .take_profit(Price::from_mantissa(66))
            .stop_loss(Price::from_mantissa(77));
        ctx.amend(number, Some(price), None);
        ctx.cancel(OrderNumber(2));
        ctx.cancel_all(id);
        ctx.cancel_all(None);
        ctx.flatten(id);
        assert!(ctx.set_timer(timer.id, ctx.now().plus_nanos(1)));
        ctx.clear_timer(timer.id);
        ctx.log(LogLevel::Error, "text");
        ctx.metric("gauge", 0.5);
    }

    fn snapshot(&self) -> Vec<u8> {
        b"state".to_vec()
    }

    fn restore(&mut self, version: u32, bytes: &[u8]) -> Result<(), crate::RestoreError> {
        assert_eq!((version, bytes), (3, b"state".as_slice()));
        Ok(())
    }
}

fn setup() -> wit::Setup {
    let btc = instrument("linear:BTCUSDT");
    let instrument = wit::Instrument {
        symbol: btc.symbol,
        price_decimals: btc.price_decimals,
        quantity_decimals: btc.quantity_decimals,
        tick: 1,
        step: 2,
        min_quantity: 3,
        max_quantity: 4,
        max_market_quantity: 5,
        min_notional: wit::Amount { high: -1, low: u64::MAX },
        taker_fee: 6,
        maker_fee: -7,
    };
    let budget = wit::Amount { high: 7, low: 9 };
    wit::Setup { parameters: Vec::new(), instruments: vec![instrument], budget, start_time: 1 }
}

#[test]
fn a_component_says_in_wit_what_the_strategy_did() {
    let slot = Slot::<Everything>::empty();
    slot.init(setup()).unwrap();
    let frame = FrameBuilder::new(5)
        .event(&Event::Resync(Resync {
            time: Time::from_nanos(8),
            open_orders: 0,
            next_order: OrderNumber(4),
        }))
        .event(&Event::Timer(TimerFired { time: Time::from_nanos(9), id: 1 }))
        .finish();
    let outcome = slot.on_frame(&frame);
    assert_eq!(outcome.consumed, 2);
    assert!(outcome.actions.iter().all(|action| action.cause == 1));
    // The generated types have no equality, so their debug text stands in for it.
    let seen: Vec<_> = outcome.actions.iter().map(|action| format!("{:?}", action.body)).collect();
    let place = |side, kind, tif, rest: &str| {
        format!(
            "ActionBody::Place(Place {{ instrument: 0, side: Side::{side}, quantity: 22, kind: OrderKind::{kind}, \
             time-in-force: TimeInForce::{tif}, {rest} }})"
        )
    };
    let none = "trigger: None, take-profit: None, stop-loss: None, good-till";
    let expected = [
        place("Buy", "Market", "Ioc", &format!("reduce-only: false, {none}: None, tag: 0")),
        place("Sell", "Limit(11)", "PostOnly", &format!("reduce-only: true, {none}: Some(44), tag: 33")),
        place(
            "Sell",
            "Limit(11)",
            "Fok",
            "reduce-only: false, trigger: Some(Trigger { price: 55, direction: TriggerDirection::Fall }), \
             take-profit: Some(66), stop-loss: Some(77), good-till: None, tag: 0",
        ),
        "ActionBody::Amend(Amend { order: 4, price: Some(11), quantity: None })".to_owned(),
        "ActionBody::Cancel(2)".to_owned(),
        "ActionBody::CancelAll(Some(0))".to_owned(),
        "ActionBody::CancelAll(None)".to_owned(),
        "ActionBody::Flatten(0)".to_owned(),
        "ActionBody::SetTimer(Timer { id: 1, at: Some(10) })".to_owned(),
        "ActionBody::SetTimer(Timer { id: 1, at: None })".to_owned(),
        "ActionBody::Log(LogLine { level: LogLevel::Error, message: \"text\" })".to_owned(),
        "ActionBody::Metric(Metric { name: \"gauge\", value: 0.5 })".to_owned(),
    ];
    assert_eq!(seen, expected);
    slot.restore(3, &slot.snapshot()).unwrap();
    assert!(matches!(slot.restore(3, b""), Err(wit::RestoreError::Malformed)));
}

#[test]
fn a_description_survives_the_way_into_wit() {
    let description = describe::<Everything>();
    assert_eq!((description.name.as_str(), description.version.as_str()), ("everything", "1.2.3"));
    assert_eq!(
        (description.metrics.as_slice(), description.snapshot_version),
        (["gauge".to_owned()].as_slice(), 3)
    );
    let [a, b, c, d] = description.parameters.as_slice() else { panic!("four parameters") };
    assert!(matches!(a.kind, wit::ParameterKind::Integer(wit::IntegerRange { min: -1, max: 1 })));
    assert_eq!((a.default.as_deref(), b.default.as_deref()), (Some("0"), None));
    assert!(
        matches!(&b.kind, wit::ParameterKind::Decimal(range) if range.min == "0.1" && range.max == "0.2")
    );
    assert!(matches!(c.kind, wit::ParameterKind::Boolean));
    assert!(matches!(&d.kind, wit::ParameterKind::Choice(words) if words == &["x", "y"]));
    let [trades, bars, book] = description.subscriptions.as_slice() else { panic!("three streams") };
    assert!(trades.symbol.is_none() && matches!(trades.stream, wit::Stream::Trades));
    assert_eq!(bars.symbol.as_deref(), Some("linear:BTCUSDT"));
    assert!(matches!(bars.stream, wit::Stream::Bars(wit::Bars { interval_s: 60, warm_up: 9 })));
    assert!(matches!(book.stream, wit::Stream::Book(50)));
}

#[test]
#[should_panic(expected = "malformed frame: no frame header")]
fn a_malformed_frame_traps() {
    let slot = Slot::<Everything>::empty();
    slot.init(setup()).unwrap();
    slot.on_frame(b"not a frame");
}

#[test]
#[should_panic(expected = "init first")]
fn a_frame_before_init_traps() {
    Slot::<Everything>::empty().on_frame(b"");
}
