//! The host's packer, the SDK's reader and the stop rule against each other: whatever the host packs the SDK reads, and where
//! the SDK stops the host agrees.

use std::cell::RefCell;

use portcullis_core::frame::{FrameBuilder, NO_INSTRUMENT, Timers, check_outcome};
use portcullis_core::{
    Action, ActionBody, Amend, Amount, Bar, Level, LogLevel, OrderNumber, Outcome, Place, Price, Qty, Rate,
    Side, Span, TimeInForce, Timestamp,
};
use portcullis_sdk::testing::{self, Driver};
use portcullis_sdk::{
    self as sdk, Context, Description, InitError, InstrumentId, Setup, Strategy, Time, TimerFired, Trade,
};

/// Records as [`run`] reads them: a kind, a step of time, what a strategy does there, and numbers.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9]];
    for kind in 0..9_u8 {
        let mut seed = vec![7; 8];
        for at in 0..6_u8 {
            seed.extend([kind.wrapping_add(at % 3), at, at, at + 1]);
            seed.extend([at; 24]);
        }
        seeds.push(seed);
    }
    // The end of time, with and without a lookahead that reaches beyond it.
    for lookahead in [0_u64, 100] {
        let mut seed = lookahead.to_le_bytes().to_vec();
        for script in [0, 1, 4, 5] {
            seed.extend([0, 255, script, 3]);
            seed.extend([255; 24]);
        }
        seeds.push(seed);
    }
    seeds
}

/// Bytes read as numbers; zeros after their end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        for slot in &mut taken {
            if let Some((first, rest)) = self.0.split_first() {
                (*slot, self.0) = (*first, rest);
            }
        }
        taken
    }

    fn u8(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.take())
    }

    fn time(&mut self) -> Timestamp {
        Timestamp(self.u64())
    }

    fn amount(&mut self) -> Amount {
        Amount(i128::from_le_bytes(self.take()))
    }

    fn level(&mut self) -> Level {
        Level { price: Price(self.i64()), quantity: Qty(self.i64()) }
    }
}

thread_local! {
    /// What the strategy does at each record, and the number that goes with it.
    static SCRIPT: RefCell<Vec<(u8, u64)>> = const { RefCell::new(Vec::new()) };
}

/// Does at each event what the script says.
struct Scripted(usize);

impl Scripted {
    fn step(&mut self, ctx: &mut Context) {
        let (does, number) = SCRIPT.with_borrow(|script| script.get(self.0).copied().unwrap_or_default());
        self.0 += 1;
        let on = InstrumentId(0);
        match does % 10 {
            1 => drop(ctx.buy(on).market(sdk::Qty::from_mantissa(1))),
            2 => ctx.cancel(sdk::OrderNumber(number)),
            3 => ctx.cancel_all(None),
            4 => drop(ctx.set_timer(number % 3, Time::from_nanos(number))),
            5 => ctx.clear_timer(number % 3),
            6 => ctx.flatten(on),
            7 => ctx.log(sdk::LogLevel::Info, "a line"),
            8 => ctx.amend_price(sdk::OrderNumber(number), sdk::Price::from_mantissa(1)),
            _ => {}
        }
    }
}

impl Strategy for Scripted {
    fn describe() -> Description {
        Description::new("scripted", "0.1.0")
    }

    fn new(_setup: &Setup) -> Result<Self, InitError> {
        Ok(Self(0))
    }

    fn on_trade(&mut self, _trade: &Trade, ctx: &mut Context) {
        self.step(ctx);
    }

    fn on_timer(&mut self, _timer: &TimerFired, ctx: &mut Context) {
        self.step(ctx);
    }
}

pub fn run(input: &[u8]) -> bool {
    let mut bytes = Bytes(input);
    let lookahead = Span(bytes.u64());
    let mut builder = FrameBuilder::new();
    builder.begin(lookahead);
    let (mut now, mut script, mut trades) = (Timestamp(0), Vec::new(), Vec::new());
    while !bytes.0.is_empty() && builder.len() < 200 {
        let (kind, step, does, number) = (bytes.u8(), bytes.u8(), bytes.u8(), bytes.u8());
        now = match step {
            255 => Timestamp(u64::MAX),
            254 => now.max(Timestamp(u64::MAX - 1)),
            step => now.after(Span(u64::from(step))),
        };
        let packed = match kind % 9 {
            0 | 1 => {
                let (price, quantity) = (Price(bytes.i64()), Qty(bytes.i64()));
                let taker = if number % 2 == 0 { Side::Buy } else { Side::Sell };
                script.push((does, now.0.saturating_add(u64::from(number))));
                trades.push((now.0, price.0, quantity.0));
                builder.trade(now, 0, bytes.time(), price, quantity, taker)
            }
            2 => {
                script.push((does, u64::from(number)));
                builder.timer(now, u64::from(number) % 3)
            }
            3 => builder.quote(now, 0, bytes.time(), bytes.level(), bytes.level()),
            4 => {
                let levels: Vec<Level> = (0..number % 52).map(|_| bytes.level()).collect();
                let result = builder.book(now, 0, bytes.time(), 7, &levels, &[]);
                assert_eq!(result.is_err(), levels.len() > 50, "levels: {}", levels.len());
                continue;
            }
            5 => builder.mark(now, 0, bytes.time(), bytes.amount(), bytes.amount()),
            6 => builder.funding(now, 0, bytes.time(), Rate(bytes.i64()), bytes.time()),
            7 => {
                let payload = vec![number; usize::from(number) * 5];
                let result = builder.signal(now, NO_INSTRUMENT, 3, &payload);
                assert_eq!(result.is_err(), payload.len() > 1_024);
                continue;
            }
            _ => {
                let price = Price(bytes.i64());
                let (open, high, low, close) = (price, price, price, price);
                let bar =
                    Bar { open_time: now, interval_s: 60, open, high, low, close, volume: Qty(bytes.i64()) };
                builder.bar(now, 0, bytes.time(), &bar)
            }
        };
        packed.expect("there is room, and time does not run back");
    }
    if builder.is_empty() {
        return false;
    }
    let marks = builder.marks().to_vec();
    let frame = builder.finish().to_vec();
    let read = sdk::frame::Frame::parse(&frame).expect("the SDK reads what the host packs");
    let mut seen = Vec::new();
    let mut count = 0;
    for record in read.records() {
        if let Some(sdk::Event::Trade(trade)) = sdk::frame::decode(record.unwrap()).unwrap() {
            seen.push((trade.time.nanos(), trade.price.mantissa(), trade.quantity.mantissa()));
        }
        count += 1;
    }
    assert_eq!((count, seen), (marks.len(), trades));

    SCRIPT.replace(script);
    let setup = testing::setup::<Scripted>(&[testing::instrument("linear:BTCUSDT")], &[]).unwrap();
    let mut driver = Driver::<Scripted>::new(&setup).unwrap();
    let outcome = driver.on_frame(&frame).expect("the strategy keeps the rules");
    let actions =
        outcome.actions.iter().map(|action| Action { cause: action.cause, body: body(&action.body) });
    let outcome = Outcome { consumed: outcome.consumed, actions: actions.collect() };
    if let Err(fault) = check_outcome(&marks, &Timers::default(), lookahead, &outcome) {
        panic!("the SDK keeps the stop rule and the host says: {fault:?} of {outcome:?}");
    }
    true
}

/// An action as it arrives at the host.
fn body(body: &sdk::ActionBody) -> ActionBody {
    match body {
        sdk::ActionBody::Place(_) => ActionBody::Place(Place {
            instrument: 0,
            side: Side::Buy,
            quantity: Qty(1),
            limit: None,
            time_in_force: TimeInForce::Ioc,
            reduce_only: false,
            trigger: None,
            take_profit: None,
            stop_loss: None,
            good_till: None,
            tag: 0,
        }),
        sdk::ActionBody::Amend(amend) => ActionBody::Amend(Amend {
            order: OrderNumber(amend.order.0),
            limit: amend.price.map(|price| Price(price.mantissa())),
            quantity: None,
        }),
        sdk::ActionBody::Cancel(order) => ActionBody::Cancel(OrderNumber(order.0)),
        sdk::ActionBody::CancelAll(_) => ActionBody::CancelAll(None),
        sdk::ActionBody::Flatten(_) => ActionBody::Flatten(0),
        sdk::ActionBody::SetTimer(timer) => {
            ActionBody::SetTimer { id: timer.id, at: timer.at.map(|at| Timestamp(at.nanos())) }
        }
        sdk::ActionBody::Log(line) => {
            ActionBody::Log { level: LogLevel::Info, message: line.message.clone() }
        }
        sdk::ActionBody::Metric(_) => ActionBody::Metric { name: String::new(), value: 0.0 },
    }
}
