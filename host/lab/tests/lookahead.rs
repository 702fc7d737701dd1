//! Large frames equal one event at a time, byte for byte (RULES T3–T7): whatever a strategy does, however its frames are cut, the same
//! orders, the same refusals and the same journal come of it.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

#[path = "../../daemon/src/bench/native.rs"]
mod native;

use native::Native;
use portcullis_core::{
    Amount, Category, Digest, InstrumentSpec, Level, Limits, Mandate, MarketBody, MarketEvent, Price, Qty,
    Rate, Side, Span, Timestamp,
};
use portcullis_gateway::Stream;
use portcullis_lab::{Candidate, Frames, Latency, Outcome, Settings, backtest};
use portcullis_paper::{Fees, Listing};
use portcullis_sdk as sdk;
use proptest::prelude::*;

/// Does anything at any time, from a seed and from what it has seen: the least difference in what it is shown, or in which order, sends
/// it another way.
struct Chaos {
    state: u64,
    /// How often it acts, in thousandths of events.
    temper: u64,
    orders: u64,
    /// How often it may still act before the next market event: what it causes would otherwise keep it busy for ever.
    left: u32,
}

impl Chaos {
    fn see(&mut self, ctx: &mut sdk::Context, what: u64) {
        self.state = mix(self.state ^ what ^ ctx.now().nanos());
        if self.left == 0 || self.state % 1_000 >= self.temper {
            return;
        }
        self.left -= 1;
        for _ in 0..=self.draw(2) {
            self.act(ctx);
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.state = mix(self.state.wrapping_add(0x9E37_79B9_7F4A_7C15));
        (self.state >> 7) % below
    }

    fn act(&mut self, ctx: &mut sdk::Context) {
        let count = ctx.instruments().len() as u64;
        let on = sdk::InstrumentId(self.draw(count) as u32);
        let side = if self.draw(2) == 0 { sdk::Side::Buy } else { sdk::Side::Sell };
        let size = sdk::Qty::from_mantissa(1 + self.draw(40) as i64);
        let price = sdk::Price::from_mantissa(START + self.draw(120) as i64 - 60);
        match self.draw(16) {
            0..=3 => {
                let reduce = self.draw(3) == 0;
                let placed = ctx.order(side, on).market(size);
                if reduce { placed.reduce_only() } else { placed }.tag(self.state);
                self.orders += 1;
            }
            4..=8 => {
                let how = self.draw(6);
                let till = ctx.now().plus_millis(self.draw(4_000));
                let placed = ctx.order(side, on).limit(price, size);
                match how {
                    0 => placed.post_only(),
                    1 => placed.immediate_or_cancel(),
                    2 => placed.good_till(till),
                    3 => placed.stop_loss(sdk::Price::from_mantissa(START - 40)),
                    4 => placed.take_profit(sdk::Price::from_mantissa(START + 40)),
                    _ => placed,
                };
                self.orders += 1;
            }
            9 => {
                let placed = ctx.order(side, on).limit(price, size);
                if price.mantissa() > START {
                    placed.when_risen_to(price)
                } else {
                    placed.when_fallen_to(price)
                };
                self.orders += 1;
            }
            10 | 11 => {
                let order = sdk::OrderNumber(self.orders.saturating_sub(self.draw(6)).max(1));
                ctx.cancel(order);
            }
            12 => {
                let order = sdk::OrderNumber(self.orders.saturating_sub(self.draw(4)).max(1));
                ctx.amend_price(order, price);
            }
            13 => {
                let at = ctx.now().plus_millis(self.draw(3_000));
                let at = if self.draw(5) == 0 { sdk::Time::from_nanos(0) } else { at };
                ctx.set_timer(self.draw(5), at);
            }
            14 => ctx.metric("mood", self.state as f64),
            _ => match self.draw(3) {
                0 => ctx.cancel_all(None),
                1 => ctx.flatten(on),
                _ => ctx.clear_timer(self.draw(5)),
            },
        }
    }
}

impl sdk::Strategy for Chaos {
    fn describe() -> sdk::Description {
        sdk::Description::new("chaos", "0.1.0")
            .parameter(sdk::Parameter::integer("seed", "Where it starts.", 0, i64::MAX))
            .parameter(sdk::Parameter::integer("temper", "How often it acts.", 0, 1_000))
    }

    fn new(setup: &sdk::Setup) -> Result<Self, sdk::InitError> {
        Ok(Self { state: setup.integer("seed")?, temper: setup.integer("temper")?, orders: 0, left: 0 })
    }

    fn on_trade(&mut self, trade: &sdk::Trade, ctx: &mut sdk::Context) {
        self.left = 6;
        self.see(ctx, trade.price.mantissa() as u64 ^ trade.quantity.mantissa() as u64);
    }

    fn on_quote(&mut self, quote: &sdk::Quote, ctx: &mut sdk::Context) {
        self.see(ctx, quote.bid.mantissa() as u64 ^ 1 << 40);
    }

    fn on_mark(&mut self, _: &sdk::Mark, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 41);
    }

    fn on_own_order(&mut self, order: &sdk::OwnOrder, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 42 ^ order.tag ^ (order.status as u64) << 50);
    }

    fn on_fill(&mut self, fill: &sdk::Fill, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 43 ^ fill.price.mantissa() as u64);
    }

    fn on_refusal(&mut self, refusal: &sdk::Refusal, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 44 ^ refusal.tag);
    }

    fn on_position(&mut self, position: &sdk::Position, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 45 ^ position.quantity.mantissa() as u64);
    }

    fn on_budget(&mut self, budget: &sdk::Budget, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 46 ^ budget.state as u64);
    }

    fn on_timer(&mut self, timer: &sdk::TimerFired, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 47 ^ timer.id);
    }

    fn on_resync(&mut self, _: &sdk::Resync, ctx: &mut sdk::Context) {
        self.see(ctx, 1 << 48);
    }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Where prices begin, in ticks of 0.1.
const START: i64 = 10_000;

/// One case.
#[derive(Debug, Clone)]
struct Case {
    seed: u64,
    strategies: usize,
    events: usize,
    latency: Latency,
    temper: u64,
    /// Nanoseconds between events, drawn from these.
    gaps: Vec<u64>,
    daily_loss: u32,
    capital: u32,
    quotes: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let latency = prop_oneof![
        Just((0, 0)),
        Just((1_000_000, 1_000_000)),
        Just((0, 40_000_000)),
        Just((700_000_000, 900_000_000)),
        (0_u64..3_000_000_000, 0_u64..3_000_000_000),
    ];
    let gaps = prop::collection::vec(
        prop_oneof![Just(0), Just(1), Just(1_000_000), 0_u64..300_000_000, Just(2_500_000_000)],
        1..6,
    );
    (
        any::<u64>(),
        prop_oneof![3 => Just(1_usize), 1 => Just(2), 1 => Just(3)],
        20_usize..600,
        latency,
        prop_oneof![Just(5_u64), Just(50), Just(300), Just(900)],
        gaps,
        prop_oneof![Just(1_000_000_u32), Just(40), Just(3)],
        prop_oneof![Just(10_000_000_u32), Just(3_000), Just(200)],
        any::<bool>(),
    )
        .prop_map(
            |(seed, strategies, events, (entry, report), temper, gaps, daily_loss, capital, quotes)| Case {
                seed,
                strategies,
                events,
                latency: Latency { entry: Span(entry), report: Span(report) },
                temper,
                gaps,
                daily_loss,
                capital,
                quotes,
            },
        )
}

const SYMBOLS: [&str; 4] = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "LTCUSDT"];

/// Small markets with the same tick and step, so that one strategy can be anywhere.
fn instruments(count: usize) -> Vec<InstrumentSpec> {
    let mut listing = Listing::new(Fees { taker: Rate(550_000_000), ..Fees::default() });
    SYMBOLS
        .iter()
        .take(count)
        .map(|symbol| {
            let id = listing.list(Category::Linear, symbol).unwrap();
            InstrumentSpec {
                price_decimals: 1,
                quantity_decimals: 2,
                tick: Price(1),
                step: Qty(1),
                min_quantity: Qty(1),
                min_notional: Amount::ZERO,
                ..listing.get(id).unwrap().clone()
            }
        })
        .collect()
}

fn market(case: &Case, instruments: &[InstrumentSpec]) -> Vec<MarketEvent> {
    let mut state = case.seed ^ 0x1234;
    let mut draw = |below: u64| {
        state = mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15));
        (state >> 9) % below
    };
    let mut prices = vec![START; instruments.len()];
    let mut now = 1_735_689_600_000_000_000 - 20_000_000_000 + draw(3) * 8_000_000_000;
    (0..case.events)
        .map(|_| {
            now += case.gaps[draw(case.gaps.len() as u64) as usize];
            let at = draw(instruments.len() as u64) as usize;
            prices[at] = (prices[at] + draw(9) as i64 - 4).clamp(START - 80, START + 80);
            let price = Price(prices[at]);
            let level = |ticks: i64, quantity: u64| Level {
                price: Price(price.0 + ticks),
                quantity: Qty(1 + quantity as i64),
            };
            let body = match draw(10) {
                0 if case.quotes => MarketBody::Quote { bid: level(-1, draw(30)), ask: level(1, draw(30)) },
                1 if case.quotes => {
                    MarketBody::Mark { mark: price.to_amount(1).unwrap(), index: price.to_amount(1).unwrap() }
                }
                2 if case.quotes => MarketBody::Funding {
                    rate: Rate(100_000_000),
                    next: Timestamp(now + draw(5) * 1_000_000_000),
                },
                _ => MarketBody::Trade {
                    price,
                    quantity: Qty(1 + draw(50) as i64),
                    taker: if draw(2) == 0 { Side::Buy } else { Side::Sell },
                },
            };
            let time = Timestamp(now);
            MarketEvent { instrument: instruments[at].id, time, venue_time: time, body }
        })
        .collect()
}

fn limits(case: &Case, instruments: &[InstrumentSpec]) -> Limits {
    let mut text = format!(
        r#"
[account]
capital = "1000000000"
position_notional_max = "5000"
direction_notional_max = "4000"
leverage_max = "1000"
initial_margin_max = "0.9"
maintenance_margin_max = "0.9"
wallet_age_ms_max = 180000
margin_mode = "cross"
open_orders_max = 40
orders_per_second_max = 20
orders_per_minute_max = 400
orders_per_hour_max = 100000
orders_per_day_max = 1000000
traded_value_per_day_max = "10000000"
fees_per_day_max = "1000"
daily_loss_max = "{loss}"
drawdown_max = "{loss}"
daily_profit_alert = "{loss}"
foreign_orders = "halt"
no_open = []
inhibits_per_hour_max = 1000

[each_strategy]
position_notional_max = "3000"
open_orders_max = 20
orders_per_second_max = 15
orders_per_minute_max = 300
orders_per_hour_max = 100000
orders_per_day_max = 1000000
traded_value_per_day_max = "10000000"
fees_per_day_max = "1000"
daily_loss_max = "{loss}"
drawdown_max = "{loss}"
rejects_in_a_row_max = 5
repeated_executions_max = 8
repeated_executions_pause_ms = 5000
duplicate_window_ms = 20
losses_in_a_row_max = 4
loss_cooldown_ms = 2000
intents_per_second_max = 100000
intents_burst_max = 100000
"#,
        loss = case.daily_loss
    );
    for (number, spec) in instruments.iter().enumerate() {
        // Stops that the host looks after on some, none on others.
        let protection = if number % 2 == 0 {
            "protection = \"stop\"\nstop_fraction = \"0.02\"\nstop_missing_ms_max = 3000"
        } else {
            "protection = \"none\""
        };
        text.push_str(&format!(
            r#"
[instrument."linear:{}"]
order_quantity_max = "10"
order_notional_max = "2000"
position_notional_max = "2000"
open_orders_max = 10
conditional_orders_max = 3
price_min = "0.1"
price_max = "1000000"
window_fraction = "0.04"
{protection}
collar_fraction = "0.05"
collar_ticks = 20
market_data_age_ms_max = 10000
mark_age_ms_max = 120000
"#,
            spec.symbol
        ));
    }
    Limits::parse(&text).unwrap()
}

fn run(case: &Case, frames: Frames) -> Outcome {
    // A strategy alone trades two instruments; several have one each (RULES G1).
    let instruments = instruments(if case.strategies == 1 { 2 } else { case.strategies });
    let events = market(case, &instruments);
    let settings = Settings {
        limits: limits(case, &instruments),
        capital: Amount::parse(&case.capital.to_string()).unwrap(),
        latency: case.latency,
        frames,
        instruments: instruments.clone(),
    };
    let candidates = (0..case.strategies)
        .map(|number| {
            let own: Vec<InstrumentSpec> =
                if case.strategies == 1 { instruments.clone() } else { vec![instruments[number].clone()] };
            let setup = sdk::Setup {
                parameters: vec![
                    ("seed".to_owned(), (mix(case.seed + number as u64) >> 1).to_string()),
                    ("temper".to_owned(), case.temper.to_string()),
                ],
                instruments: own
                    .iter()
                    .enumerate()
                    .map(|(index, spec)| sdk::Instrument {
                        id: sdk::InstrumentId(index as u32),
                        quantity_decimals: 2,
                        ..sdk::testing::instrument(&format!("linear:{}", spec.symbol))
                    })
                    .collect(),
                budget: sdk::Amount::from_units(i128::from(case.capital) * 1_000_000_000_000_000_000),
                start_time: sdk::Time::from_nanos(0),
            };
            Candidate {
                name: format!("chaos-{number}").parse().unwrap(),
                digest: Digest::default(),
                instruments: own.iter().map(|spec| spec.id).collect(),
                subscriptions: own
                    .iter()
                    .flat_map(|spec| [Stream::Trades, Stream::Quotes, Stream::Mark].map(|s| (spec.id, s)))
                    .collect(),
                budget: settings.capital,
                mandate: Mandate::ALL,
                guest: Native::<Chaos>::new(&setup).unwrap(),
            }
        })
        .collect();
    backtest(&settings, candidates, &events).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn large_frames_equal_one_event_at_a_time(case in case(), cut in any::<u64>()) {
        let single = run(&case, Frames::Single);
        for frames in [Frames::Adaptive, Frames::Strict, Frames::Random(cut)] {
            let other = run(&case, frames);
            prop_assert!(other.same_as(&single), "{frames:?}\n{other:#?}\n{single:#?}");
        }
    }
}

#[test]
fn the_cases_are_not_idle() {
    // Otherwise the property would hold of nothing: in one busy case a good part of everything must happen.
    let case = Case {
        seed: 7,
        strategies: 1,
        events: 3_000,
        latency: Latency { entry: Span(1_000_000), report: Span(1_000_000) },
        temper: 300,
        gaps: vec![50_000_000],
        daily_loss: 1_000_000,
        capital: 10_000_000,
        quotes: true,
    };
    let outcome = run(&case, Frames::Adaptive);
    assert!(outcome.orders > 200, "{outcome:#?}");
    assert!(outcome.fills > 100, "{outcome:#?}");
    assert!(outcome.refused.len() > 5, "{outcome:#?}");
    assert!(outcome.strategies[0].events > 3_000, "{outcome:#?}");
}
