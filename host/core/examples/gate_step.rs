//! How long the gate thinks about one intent, with a thousand open orders: `cargo run --release -p portcullis-core --example gate_step`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measuring tool"
)]

use std::time::Instant;

use portcullis_core::*;

/// Strategies, each on an instrument of its own, all holding a position.
const STRATEGIES: u16 = 50;
const OPEN: u64 = 1_000;
const ROUNDS: usize = 200_000;

fn main() {
    let mut bench = Bench::new();
    for _ in 0..OPEN {
        let (sequence, _) = bench.intent();
        bench.working(sequence);
    }
    assert_eq!(bench.gate.state().orders().open_count(), OPEN);
    let mut nanos = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let (sequence, took) = bench.intent();
        nanos.push(took);
        bench.reject(sequence);
    }
    nanos.sort_unstable();
    let at = |part: usize| nanos[ROUNDS * part / 1_000];
    println!(
        "intent, all checks, {OPEN} open orders: p50 {} ns, p99 {} ns, p99.9 {} ns",
        at(500),
        at(990),
        at(999)
    );
}

fn limits() -> String {
    let (head, section) = BENCH_LIMITS.split_once("[instrument.\"linear:BTCUSDT\"]").unwrap();
    let sections = (0..STRATEGIES).map(|number| format!("[instrument.\"linear:S{number}USDT\"]{section}"));
    format!("{head}{}", sections.collect::<String>())
}

fn instrument(number: u16) -> InstrumentSpec {
    InstrumentSpec {
        id: InstrumentId(number.into()),
        category: Category::Linear,
        symbol: format!("S{number}USDT").parse().unwrap(),
        price_decimals: 2,
        quantity_decimals: 3,
        tick: Price(10),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(1_000_000),
        min_notional: Amount::ZERO,
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(200_000_000),
        trading: true,
    }
}

struct Bench {
    gate: Gate,
    now: Timestamp,
    sequence: u64,
    count: u64,
}

impl Bench {
    fn new() -> Self {
        let mut bench =
            Self { gate: Gate::new(), now: Timestamp(1_800_000_000_000_000_000), sequence: 0, count: 0 };
        let at = bench.now;
        bench.step(Input::Limits(Box::new(Limits::parse(&limits()).unwrap())));
        bench.step(Input::Session(SessionStart {
            environment: Environment::Paper,
            epoch: 1,
            software: "bench".to_owned(),
            engine: Digest::default(),
            at,
        }));
        for number in 0..STRATEGIES {
            bench.step(Input::Instrument(instrument(number)));
        }
        for change in [
            LinkChange::Public { up: true },
            LinkChange::Private { up: true },
            LinkChange::Skew { millis: 0 },
        ] {
            bench.step(Input::Link(change));
        }
        let equity = Amount::parse("1000000000000").unwrap();
        bench.step(Input::Snapshot(VenueSnapshot::of_cash(equity, at)));
        for number in 0..STRATEGIES {
            bench.begin(number);
        }
        bench
    }

    /// Starts a strategy, shows it a market and gives it a position.
    fn begin(&mut self, number: u16) {
        let (at, strategy, instrument) = (self.now, StrategyId(number), InstrumentId(number.into()));
        self.step(Input::Strategy(StrategyChange::Started(StrategyStarted {
            strategy,
            name: format!("strategy-{number}").parse().unwrap(),
            digest: Digest::default(),
            instruments: vec![instrument],
            budget: Amount::parse("1000000000").unwrap(),
            mandate: Mandate::ALL,
            at,
        })));
        self.step(Input::Strategy(StrategyChange::Warm(strategy)));
        self.step(Input::Strategy(StrategyChange::Resynced(strategy)));
        let level = |price| Level { price: Price(price), quantity: Qty(1) };
        for body in [
            MarketBody::Quote { bid: level(5_999_990), ask: level(6_000_000) },
            MarketBody::Mark { mark: Amount::parse("60000").unwrap(), index: Amount::ZERO },
        ] {
            let event = MarketEvent { instrument, time: at, venue_time: at, body };
            self.step(Input::Market(&event));
        }
        self.step(Input::Report(ExecutionReport::Execution(Execution {
            exec: format!("e{number}").parse().unwrap(),
            kind: ExecutionKind::Trade,
            link: None,
            venue_order: "v".parse().unwrap(),
            instrument,
            side: Side::Buy,
            price: Price(6_000_000),
            quantity: Qty(7),
            fee: Amount(5),
            maker: false,
            created_by: CreatedBy::Protection,
            venue_time: at,
        })));
    }

    fn step(&mut self, input: Input<'_>) {
        self.sequence += self.gate.step(self.now, input).records.len() as u64;
    }

    /// One order, asked for, approved, journaled and let go; how long the decision took.
    fn intent(&mut self) -> (Sequence, u64) {
        self.now = self.now.after(Span(50_000));
        self.count += 1;
        let strategy = StrategyId(u16::try_from(self.count % u64::from(STRATEGIES)).unwrap());
        let place = Place {
            instrument: 0,
            side: if self.count.is_multiple_of(2) { Side::Buy } else { Side::Sell },
            quantity: Qty(10),
            // Buys and sales that never meet each other.
            limit: Some(Price(if self.count.is_multiple_of(2) { 5_999_000 } else { 6_001_000 })),
            time_in_force: TimeInForce::Gtc,
            reduce_only: false,
            trigger: None,
            take_profit: None,
            stop_loss: None,
            good_till: None,
            tag: 7,
        };
        let cause = Cause { time: self.now, event: 1, frame: Digest::default() };
        let intent = RawIntent { strategy, cause, ask: Ask::Place(place) };
        let frame = [0_u8; 512];
        let start = Instant::now();
        let effects = self.gate.step(self.now, Input::Intent { intent, frame: &frame });
        let took = u64::try_from(start.elapsed().as_nanos()).unwrap();
        let (_, command) =
            effects.commands.into_iter().next().unwrap_or_else(|| panic!("{:?}", effects.notices));
        let sequence = Sequence(self.sequence);
        self.sequence += 1;
        let link = format!("p001{:09}-{:0>22}", sequence.0, 0).parse().ok();
        let _ = self.gate.step(self.now, Input::Committed { command: command.command(), sequence, link });
        let _ = self.gate.step(self.now, Input::Release(sequence));
        (sequence, took)
    }

    fn working(&mut self, of: Sequence) {
        self.step(Input::Submission { of, outcome: Submission::Accepted { venue_order: None } });
    }

    fn reject(&mut self, of: Sequence) {
        let rejection = VenueRejection { kind: RejectionKind::Other, code: 1, message: String::new() };
        self.step(Input::Submission { of, outcome: Submission::Rejected(rejection) });
    }
}
